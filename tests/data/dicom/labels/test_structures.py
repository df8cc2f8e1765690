"""RTSTRUCT as voxels: the right ones, wherever the image lies, or a refusal in one line."""

import nibabel
import numpy as np
import pydicom
import pytest

from medseg.data.datasets.grids import same_axes
from medseg.data.images.picture import read_image, read_label
from medseg.data.label_source import LabelSource
from medseg.data.problems import InputError
from tests.data.dicom.builders import (
    AFFINE,
    hounsfield,
    item,
    rotated,
    save,
    slices,
    uid,
)
from tests.data.dicom.labels.builders import SHAPE, a_clinic, contour, square

ROIS = {"GTV*": "tumour"}


@pytest.fixture
def clinic(tmp_path):
    return a_clinic(tmp_path)


def box(*spans):
    array = np.zeros(SHAPE, np.uint8)
    array[tuple(slice(*span) for span in spans)] = 1
    return array


def refusal(clinic, rois, **options):
    with pytest.raises(InputError) as caught:
        clinic.read(clinic.structures(rois, **options), rois=ROIS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 0, 90), (90, 0, 0), (20, 30, 40), (0, 180, 0)])
def test_contours_are_filled_in_the_slices_that_they_lie_in(tmp_path, turn):
    clinic = a_clinic(tmp_path, rotated(turn))
    path = clinic.structures({"GTV-1": [square(2.5, 9.5, k) for k in (3, 4, 5)]})
    label = clinic.read(path, rois=ROIS)
    np.testing.assert_array_equal(label.array, box((3, 10), (3, 10), (3, 6)))
    np.testing.assert_allclose(label.affine, read_image(clinic.image).affine)
    assert label.doubts == ()


def test_a_hole_an_island_and_two_parts_of_a_slice(clinic):
    rings = [square(0.5, 9.5, 2), square(2.5, 7.5, 2), square(4.5, 5.5, 2), square(11.5, 13.5, 2)]
    label = clinic.read(clinic.structures({"GTV": rings}), rois=ROIS)
    assert label.array[..., 2].sum() == 81 - 25 + 1 + 4
    assert label.array.sum() == label.array[..., 2].sum()


def test_a_contour_that_is_there_twice_is_no_hole(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1), square(2.5, 5.5, 1)]})
    label = clinic.read(path, rois=ROIS)
    assert label.array.sum() == 9
    assert "twice" in label.doubts[0].what


def test_a_nifti_of_the_same_patient_gives_its_own_grid(clinic, tmp_path):
    """Sagittal slices first and turned to RAS: contours are found across any axis."""
    rois = {"GTV": [square(2.5, 9.5, k) for k in (3, 4)]}
    path = clinic.structures(rois)
    volume = read_image(clinic.image)
    turned = nibabel.as_closest_canonical(nibabel.Nifti1Image(volume.array, volume.affine))
    swapped = nibabel.Nifti1Image(
        np.moveaxis(np.asarray(turned.dataobj), 2, 0), turned.affine[:, [2, 0, 1, 3]]
    )
    nibabel.save(swapped, tmp_path / "p.nii.gz")
    label = clinic.read(path, rois=ROIS, image=tmp_path / "p.nii.gz")
    assert label.shape == (SHAPE[2], *SHAPE[:2])
    back = same_axes(volume, label)
    np.testing.assert_array_equal(back.array, clinic.read(path, rois=ROIS).array)


def test_slices_between_contours_stay_empty_and_are_told(clinic):
    label = clinic.read(
        clinic.structures({"GTV": [square(2.5, 5.5, k) for k in (1, 4, 5)]}), rois=ROIS
    )
    assert np.flatnonzero(label.array.any(axis=(0, 1))).tolist() == [1, 4, 5]
    assert "2 slices between others (slice 2 to 3)" in label.doubts[0].what


def test_what_is_listed_later_covers_what_is_before(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)], "Lung_L": [square(0.5, 9.5, 1)]})
    classes = ("background", "lung", "tumour")
    inside = clinic.read(path, classes, {"lung*": "lung", "gtv": "tumour"})
    assert [(inside.array == value).sum() for value in (1, 2)] == [81 - 9, 9]
    assert "lung and tumour overlap in 9 voxels, which are tumour" in inside.doubts[0].what
    covered = clinic.read(path, classes, {"gtv": "tumour", "lung*": "lung"})
    assert [(covered.array == value).sum() for value in (1, 2)] == [81, 0]


def test_two_rois_of_one_class_are_both_it(clinic):
    path = clinic.structures({"GTV_1": [square(2.5, 5.5, 1)], "GTV_2": [square(3.5, 6.5, 1)]})
    label = clinic.read(path, rois=ROIS)
    assert label.array.sum() == 9 + 9 - 4
    assert label.doubts == ()


def test_rois_without_a_class_are_left_out_and_told(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)], "BODY": [square(0.5, 15.5, 1)]})
    label = clinic.read(path, rois=ROIS)
    assert label.array.sum() == 9
    assert label.doubts[0].what == "ROIs that no class is named for are left out: BODY"


def test_a_class_without_an_roi_is_told_where_another_has_one(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)]})
    label = clinic.read(path, ("background", "tumour", "node"), {**ROIS, "GTVn*": "node"})
    assert "no ROI of it is node" in label.doubts[0].what


def test_a_name_that_is_not_there_is_refused_with_what_was_meant(clinic):
    told = refusal(clinic, {"BODY": [square(0, 9, 1)], "tumour GTV": [square(2, 5, 1)]})
    assert "no ROI is called GTV*; it holds BODY, tumour GTV" in told
    assert "did you mean --rois 'tumour GTV=tumour'?" in told
    assert "say which class it is: --rois 'BODY=tumour'" in refusal(clinic, {"BODY": []})


def test_another_frame_of_reference_is_refused(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)]})
    other = save(slices(hounsfield(SHAPE), series="b"), clinic.folder / "other")
    for file in other.iterdir():
        ds = pydicom.dcmread(file)
        ds.FrameOfReferenceUID = uid("elsewhere")
        ds.save_as(file)
    with pytest.raises(InputError, match="another frame of reference"):
        clinic.read(path, rois=ROIS, image=other)


def test_another_series_of_the_frame_of_reference_is_told(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)]})
    other = save(slices(hounsfield(SHAPE), series="b"), clinic.folder / "other")
    label = clinic.read(path, rois=ROIS, image=other)
    assert label.array.sum() == 9
    assert "drawn on another series" in label.doubts[0].what


def test_contours_between_slices_are_refused_by_the_rois_name(clinic):
    told = refusal(clinic, {"GTV-1": [square(2.5, 5.5, 1.4)]})
    assert "a contour of ROI GTV-1 lies between slices: 0.40 of a slice" in told


def test_tilted_contours_are_refused_by_the_rois_name(clinic):
    tilted = square(2.5, 5.5, 1)
    tilted[2][2] = tilted[3][2] = 2.5
    assert "a contour of ROI GTV is tilted: it crosses 1.5 slices" in refusal(
        clinic, {"GTV": [tilted, square(2.5, 5.5, 3)]}
    )


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        (square(2, 5, 1), "OPEN_PLANAR"),
        (square(2, 5, 1)[:1], "POINT"),
        (square(2, 5, 1)[:2], "CLOSED_PLANAR"),
    ],
)
def test_a_contour_that_encloses_nothing_is_refused(clinic, points, kind):
    told = refusal(clinic, {"GTV": [contour(points, AFFINE, kind)]})
    assert "ROI GTV has a contour that encloses nothing" in told


def test_contours_outside_of_the_image_are_refused(clinic):
    assert "all contours of ROI GTV lie outside of the image" in refusal(
        clinic, {"GTV": [square(40, 50, 1), square(2, 5, 12)]}
    )


def test_contours_that_leave_the_image_are_cut_and_told(clinic):
    label = clinic.read(
        clinic.structures({"GTV": [square(-3.5, 2.5, 1), square(2.5, 5.5, 8)]}), rois=ROIS
    )
    assert label.array.sum() == 9
    assert "2 contours of ROI GTV leave the image" in label.doubts[0].what


def test_contours_need_an_image(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)]})
    with pytest.raises(InputError, match="have no voxels of their own; give the image"):
        read_label(LabelSource(path, None, ("background", "tumour"), (("GTV", "tumour"),)))


def test_two_files_in_one_folder_are_refused(clinic):
    for name in ("both/a.dcm", "both/b.dcm"):
        (clinic.folder / "both").mkdir(exist_ok=True)
        clinic.structures({"GTV": [square(2.5, 5.5, 1)]}, name)
    with pytest.raises(InputError, match=r"holds 2 SEG or RTSTRUCT files: a\.dcm, b\.dcm"):
        clinic.read(clinic.folder / "both", rois=ROIS)


@pytest.mark.parametrize("numbers", [["1", "2", "x"], ["1", "2"], ["1", "2", "1e999"]])
def test_points_that_are_no_points_are_refused(clinic, numbers):
    made = item(ContourGeometricType="CLOSED_PLANAR")
    made.add_new("ContourData", "LO", numbers)
    assert "ContourData must be" in refusal(clinic, {"GTV": [made]})


@pytest.mark.parametrize("missing", [8, 150, 300, 700])
def test_a_file_cut_off_is_refused_rather_than_read_as_far_as_it_goes(clinic, missing):
    path = clinic.structures({"GTV": [square(2.5, 5.5, k) for k in range(5)]})
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(InputError, match="damaged or cut off"):
        clinic.read(path, rois=ROIS)


def test_no_cut_makes_an_empty_label_of_contours(clinic):
    path = clinic.structures({"GTV": [square(2.5, 5.5, 1)]})
    whole = path.read_bytes()
    for length in range(140, len(whole), 9):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            clinic.read(path, rois=ROIS)
