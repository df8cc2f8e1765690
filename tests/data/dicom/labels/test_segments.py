"""SEG as voxels: medseg's own comes back, others' too, and those of other images are refused."""

import nibabel
import numpy as np
import pydicom
import pytest

from medseg.data import write_dicom_seg
from medseg.data.datasets.grids import grid_problems, same_axes
from medseg.data.images.picture import read_image, read_label
from medseg.data.label_source import LabelSource, parse_label_source
from medseg.data.problems import InputError
from tests.data.dicom.builders import hounsfield, rotated, save, slices, uid
from tests.data.dicom.labels.builders import SHAPE, a_clinic, a_label, foreign_seg

NAMES = ("background", "lung", "small_tumour", "rib")


@pytest.fixture
def clinic(tmp_path):
    return a_clinic(tmp_path)


def random(seed=0, high=4):
    array = np.random.default_rng(seed).integers(0, high, SHAPE).astype(np.uint8)
    array[:, :, [0, 3]] = 0
    return array


def own_seg(clinic, array=None):
    array = random() if array is None else array
    write_dicom_seg(a_label(clinic, array), clinic.folder / "own.dcm")
    return clinic.folder / "own.dcm"


@pytest.mark.parametrize("turn", [(0, 0, 0), (90, 0, 0), (20, 30, 40), (0, 180, 0)])
def test_what_medseg_writes_comes_back_voxel_by_voxel(tmp_path, turn):
    clinic = a_clinic(tmp_path, rotated(turn))
    label = clinic.read(own_seg(clinic), NAMES)
    np.testing.assert_array_equal(label.array, random())
    np.testing.assert_allclose(label.affine, read_image(clinic.image).affine)
    assert label.doubts == ()


@pytest.mark.parametrize("shape", [(7, 5, 6), (9, 9, 12), (3, 11, 9)])
def test_frames_of_an_odd_number_of_pixels_come_back(tmp_path, shape):
    # Frames of bits follow each other without a gap, and so begin within a byte.
    clinic = a_clinic(tmp_path, shape=shape)
    array = np.random.default_rng(1).integers(0, 4, shape).astype(np.uint8)
    array[0, 0] = np.arange(shape[2]) % 4
    np.testing.assert_array_equal(clinic.read(own_seg(clinic, array), NAMES).array, array)


def test_names_are_compared_and_not_numbers(clinic):
    label = clinic.read(own_seg(clinic), ("background", "rib", "lung", "small_tumour"))
    swapped = np.array([0, 2, 3, 1])[random()]
    np.testing.assert_array_equal(label.array, swapped)


def test_patterns_say_what_a_segment_is(clinic):
    path = own_seg(clinic)
    label = clinic.read(path, ("background", "tumour"), {"small*": "tumour"})
    np.testing.assert_array_equal(label.array, random() == 2)
    with pytest.raises(InputError, match="did you mean --rois 'small tumour=tumour'"):
        clinic.read(path)


def test_without_classes_the_values_are_the_segments_numbers(clinic):
    label = read_label(LabelSource(own_seg(clinic), clinic.image))
    np.testing.assert_array_equal(label.array, random())


def test_without_an_image_the_grid_is_that_of_the_frames(clinic):
    label = read_label(own_seg(clinic))
    # Slice 0 is empty and has no frame; slice 3 lies between others.
    np.testing.assert_array_equal(label.array, random()[:, :, 1:])
    place = clinic.affine @ [0, 0, 1, 1]
    np.testing.assert_allclose(label.affine[:, 3], place, atol=1e-4)


def test_a_nifti_of_the_same_patient_may_be_turned_and_cropped(clinic, tmp_path):
    array = np.zeros(SHAPE, np.uint8)
    array[5:9, 6:12, 2:5] = 1
    path = own_seg(clinic, array)
    volume = read_image(clinic.image)
    whole = nibabel.Nifti1Image(volume.array, volume.affine)
    cropped = nibabel.as_closest_canonical(whole.slicer[3:12, 4:15, 1:7])
    nibabel.save(cropped, tmp_path / "p.nii.gz")
    label = clinic.read(path, NAMES, image=tmp_path / "p.nii.gz")
    assert grid_problems(read_image(tmp_path / "p.nii.gz"), label) == ()
    assert label.array.sum() == array.sum()
    nibabel.save(whole.slicer[7:, :, :], tmp_path / "q.nii.gz")
    part = clinic.read(path, NAMES, image=tmp_path / "q.nii.gz")
    np.testing.assert_array_equal(part.array, array[7:])
    assert "36 of its voxels lie outside of the image" in part.doubts[0].what
    nibabel.save(whole.slicer[15:, :, :], tmp_path / "r.nii.gz")
    with pytest.raises(InputError, match="all that it marks lies outside of the image"):
        clinic.read(path, NAMES, image=tmp_path / "r.nii.gz")


def test_a_seg_of_other_voxels_keeps_its_own_grid_for_the_check_to_refuse(clinic, tmp_path):
    path = own_seg(clinic)
    affine = clinic.affine @ np.diag([2, 2, 1, 1.0])
    nibabel.save(nibabel.Nifti1Image(np.zeros((12, 10, 8)), affine), tmp_path / "p.nii.gz")
    label = clinic.read(path, NAMES, image=tmp_path / "p.nii.gz")
    (problem,) = grid_problems(read_image(tmp_path / "p.nii.gz"), same_axes(label, label))
    assert "shape" in problem.what


def test_a_seg_of_another_series_is_refused(clinic):
    path = own_seg(clinic)
    other = save(slices(hounsfield(SHAPE), series="b"), clinic.folder / "other")
    with pytest.raises(InputError, match="is a SEG of another series") as caught:
        clinic.read(path, NAMES, image=other)
    assert str(uid("b")) in str(caught.value)
    for file in other.iterdir():
        ds = pydicom.dcmread(file)
        ds.FrameOfReferenceUID = uid("elsewhere")
        ds.save_as(file)
    with pytest.raises(InputError, match="another frame of reference"):
        clinic.read(path, NAMES, image=other)


def test_segments_that_overlap_are_painted_in_order_and_told(clinic):
    pixels = np.zeros((*SHAPE[::-1], 2), np.uint8)
    pixels[2, 3:9, 3:9, 0] = pixels[2, 5:7, 5:7, 1] = 1
    path = foreign_seg(clinic, pixels, ["Lung", "Tumour"])
    classes = ("background", "lung", "tumour")
    label = clinic.read(path, classes)
    assert [(label.array == value).sum() for value in (1, 2)] == [32, 4]
    assert "lung and tumour overlap in 4 voxels" in label.doubts[0].what
    covered = clinic.read(path, classes, {"tumour": "tumour", "lung": "lung"})
    assert [(covered.array == value).sum() for value in (1, 2)] == [36, 0]


def test_of_fractional_segments_what_is_above_half_is_inside(clinic):
    pixels = np.zeros(SHAPE[::-1], np.float32)
    pixels[2, 3, 3:8] = [0.2, 0.49, 0.51, 0.8, 1]
    path = foreign_seg(clinic, pixels, ["Tumour"], "FRACTIONAL")
    label = clinic.read(path)
    assert np.argwhere(label.array).tolist() == [[5, 3, 2], [6, 3, 2], [7, 3, 2]]
    assert "fractional" in label.doubts[0].what


def test_a_label_map_is_read_by_its_numbers(clinic):
    array = random(1)
    path = foreign_seg(clinic, array.T, ["Lung", "small tumour", "Rib"], "LABELMAP")
    np.testing.assert_array_equal(clinic.read(path, NAMES).array, array)


def test_damaged_pixels_are_refused(clinic):
    path = own_seg(clinic)
    ds = pydicom.dcmread(path)
    ds.PixelData = ds.PixelData[:40]
    ds.save_as(path)
    with pytest.raises(InputError, match="damaged or truncated"):
        clinic.read(path, NAMES)


def test_another_segmentation_type_is_refused(clinic):
    path = own_seg(clinic)
    ds = pydicom.dcmread(path)
    ds.SegmentationType = "SURFACE"
    ds.save_as(path)
    with pytest.raises(InputError, match="SegmentationType is SURFACE"):
        clinic.read(path, NAMES)


def test_a_source_is_the_same_from_its_text(clinic):
    source = LabelSource(
        clinic.folder / "a b#c.dcm", clinic.image, NAMES, (("GTV//*=&?", "lung"), ("é", "rib"))
    )
    assert parse_label_source(source.text) == source


def test_no_cut_makes_another_label_of_a_seg(clinic):
    array = np.zeros(SHAPE, np.uint8)
    array[3:9, 3:9, 2:6] = 1
    path = own_seg(clinic, array)
    whole = path.read_bytes()
    for length in range(140, len(whole), 61):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            clinic.read(path, NAMES)
