"""What is said of spacing, field of view, and axes that are not at right angles."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.datasets.intake import image_problems
from medseg.data.images.geometry import at_right_angles, skew_degrees, skew_problem, straightened
from medseg.data.images.volume import read_volume
from medseg.data.images.volume_reader import VolumeReader
from medseg.data.problems import InputError
from tests.data.builders import an_image, write_nifti
from tests.data.dicom.builders import rotated


def sheared(step=0.05, spacing=(1.0, 1.0, 2.0), axes=(0, 1)):
    """An affine whose axis `axes[1]` leans by `step` mm per mm towards `axes[0]`."""
    shear = np.eye(4)
    shear[axes] = step
    return shear @ np.diag([*spacing, 1.0])


def found(tmp_path, affine, shape=(6, 5, 4)):
    volume = read_volume(write_nifti(tmp_path / "a.nii", an_image(shape=shape), affine))
    return [(problem.severity, problem.what) for problem in image_problems(volume)]


@pytest.mark.parametrize(
    ("spacing", "severity", "words"),
    [
        ((0.5, 0.5, 5), None, ""),
        ((0.001, 0.001, 0.001), "warning", "spacing outside of 0.01 to 50 mm: spacing 0.001 x"),
        ((1, 1, 60), "warning", "outside of 0.01 to 50 mm: spacing 1 x 1 x 60 mm, field of view 6"),
        ((800, 800, 800), "warning", "field of view 4800 x 4000 x 3200 mm"),
        ((1000, 1000, 1000), "error", "is larger than any patient: spacing 1000 x 1000 x 1000"),
    ],
)
def test_a_spacing_that_no_scanner_has_is_told_with_the_field_of_view(
    tmp_path, spacing, severity, words
):
    problems = found(tmp_path, np.diag([*spacing, 1.0]))
    assert [one for one, _ in problems] == ([severity] if severity else [])
    assert all(words in what for _, what in problems)


def test_a_field_of_view_of_metres_is_told(tmp_path):
    ((severity, what),) = found(tmp_path, np.diag([40.0, 1, 1, 1]), shape=(70, 5, 4))
    assert severity == "warning"
    assert what == "is metres large: spacing 40 x 1 x 1 mm, field of view 2800 x 5 x 4 mm"


def test_the_angle_of_a_shear_by_hand():
    assert skew_degrees(np.eye(4)) == 0
    assert skew_degrees(sheared(1.0)) == pytest.approx(45)
    assert skew_degrees(sheared(np.tan(np.radians(20)), axes=(1, 2))) == pytest.approx(20)


@given(angles=st.tuples(*[st.floats(-180, 180)] * 3))
def test_an_oblique_volume_is_at_right_angles_also_as_float32(angles):
    assert skew_degrees(rotated(angles).astype(np.float32).astype(float)) < 1e-3


@given(angles=st.tuples(*[st.floats(-180, 180)] * 3), step=st.floats(-0.3, 0.3))
def test_the_nearest_affine_at_right_angles_keeps_spacing_and_centre(angles, step):
    affine = rotated(angles) @ sheared(step)
    straight = at_right_angles(affine, (6, 7, 5))
    assert skew_degrees(straight) < 1e-4
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    np.testing.assert_allclose(np.linalg.norm(straight[:3, :3], axis=0), spacing)
    centre = (2.5, 3, 2, 1)
    np.testing.assert_allclose(straight @ centre, affine @ centre, atol=1e-6)
    assert np.linalg.det(straight[:3, :3]) * np.linalg.det(affine[:3, :3]) > 0


def test_axes_at_right_angles_stay_bit_by_bit():
    affine = rotated((10, 20, 30)).astype(np.float32).astype(float)
    assert at_right_angles(affine, (6, 7, 5)) is affine


@pytest.mark.parametrize(("voxels", "is_told"), [(5, False), (500, True)])
def test_a_skew_counts_from_a_tenth_of_a_voxel_on(voxels, is_told):
    # 0.001 mm per mm: half of it at each of two axes, over half of the voxels.
    problem = skew_problem(sheared(0.001), (voxels, voxels, 4), "image")
    assert (problem is not None) == is_told


def test_a_skew_below_a_tenth_of_a_voxel_is_read_and_given_at_right_angles(tmp_path):
    path = write_nifti(tmp_path / "a.nii", an_image(), sheared(0.01))
    np.testing.assert_allclose(read_volume(path).affine, sheared(0.01))
    _, meta = VolumeReader().get_data(VolumeReader().read(path))
    assert skew_degrees(np.asarray(meta["affine"])) < 1e-4


def test_skew_axes_are_refused_when_the_file_is_read(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", an_image(), sheared(0.2))
    for where in ("image", "label"):
        with pytest.raises(InputError, match=r"not at right angles, off by 11.3 degrees .*--allow"):
            read_volume(path, where=where)


def test_skew_axes_are_resampled_if_that_is_allowed_and_it_is_told(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", an_image(), sheared(0.2))
    volume = read_volume(path, tilt="resample")
    assert skew_degrees(volume.affine) < 1e-3
    # The second axis is its own part across the first.
    np.testing.assert_allclose(volume.spacing_mm, (1, 1, 2), rtol=1e-5)
    (doubt,) = volume.doubts
    assert doubt.severity == "warning"
    assert "it was resampled to a regular grid, as you allowed" in doubt.remedy


@given(
    step=st.floats(-0.6, 0.6).filter(lambda step: abs(step) > 0.01),
    axes=st.sampled_from([(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)]),
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
)
def test_a_linear_intensity_is_where_it_was(step, axes, angles, tmp_path_factory):
    affine = rotated(angles) @ sheared(step, axes=axes)
    indices = np.indices((6, 7, 5)).reshape(3, -1)
    gradient = np.array([3.0, -2.0, 5.0])
    places = affine[:3, :3] @ indices + affine[:3, 3:]
    image = (gradient @ places).reshape(6, 7, 5)
    path = tmp_path_factory.mktemp("shear") / "a.nii"
    straight, moved = straightened(path, image, affine, "image")
    assert skew_degrees(moved) < 1e-6
    # Inside the old box, in millimetres.
    new = np.indices(straight.shape).reshape(3, -1)
    there = moved[:3, :3] @ new + moved[:3, 3:]
    old = np.linalg.solve(affine[:3, :3], there - affine[:3, 3:])
    inside = ((old >= 0) & (old <= np.array([[5], [6], [4]]))).all(axis=0)
    assert inside.sum() > 20
    np.testing.assert_allclose(
        straight.ravel()[inside], (gradient @ there)[inside], rtol=1e-4, atol=1e-2
    )


def test_resampling_agrees_with_simpleitk(tmp_path):
    image = np.random.default_rng(0).normal(size=(9, 8, 7)).astype(np.float32)
    affine = sheared(0.3, axes=(1, 2))
    straight, moved = straightened(tmp_path, image, affine, "image")
    source = sitk.GetImageFromArray(image.T)
    # A direction of ITK may be skew; its axes point left and back, here both grids are mirrored.
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    source.SetSpacing(spacing)
    source.SetDirection((affine[:3, :3] / spacing).ravel())
    grid = sitk.Image([int(n) for n in straight.shape], sitk.sitkFloat32)
    grid.SetSpacing(np.linalg.norm(moved[:3, :3], axis=0))
    grid.SetDirection((moved[:3, :3] / np.linalg.norm(moved[:3, :3], axis=0)).ravel())
    grid.SetOrigin(moved[:3, 3])
    theirs = sitk.GetArrayFromImage(
        sitk.Resample(source, grid, sitk.Transform(), sitk.sitkLinear, -99.0)
    ).T
    # Outside of the outermost voxels' centres, ITK repeats them for half a voxel; here they are
    # mixed with the padding.
    places = moved[:3, :3] @ np.indices(straight.shape).reshape(3, -1) + moved[:3, 3:]
    old = np.linalg.solve(affine[:3, :3], places).T.reshape(*straight.shape, 3)
    inside = ((old >= -1e-6) & (old <= np.array(image.shape) - 1 + 1e-6)).all(axis=-1)
    assert inside.sum() > 300
    np.testing.assert_allclose(straight[inside], theirs[inside], atol=1e-4)


def test_a_label_keeps_its_numbers(tmp_path):
    label = np.zeros((12, 12, 4), np.uint8)
    label[3:9, 4:8] = 7
    straight, _ = straightened(tmp_path, label, sheared(0.2), "label")
    assert straight.dtype == np.uint8
    assert set(np.unique(straight)) == {0, 7}
    # A shear keeps volumes; edges are cut at whole voxels.
    assert (straight > 0).sum() == pytest.approx((label > 0).sum(), rel=0.1)


def test_a_shear_that_would_need_more_voxels_than_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "200")
    path = write_nifti(tmp_path / "a.nii", an_image(), sheared(3.0))
    with pytest.raises(InputError, match="more than the limit of 200"):
        read_volume(path, tilt="resample")
