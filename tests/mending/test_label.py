"""A label mended: what changes, by how much, and what is left alone."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as everyone calls it

from medseg.data.images.volume import Volume
from medseg.mending.label import MendedLabel, mend_label
from medseg.mending.values import ValueMap

AFFINE = np.array([[-2.0, 0, 0, 30], [0, -2.0, 0, 20], [0, 0, 4.0, -8], [0, 0, 0, 1]])
SHAPE = (12, 10, 6)


def volume(array, affine=AFFINE):
    i, j, k = np.linalg.norm(affine[:3, :3], axis=0)
    return Volume(array, affine, (float(i), float(j), float(k)), array.dtype.name)


IMAGE = volume(np.zeros(SHAPE, np.int16))


def box(shape=SHAPE, dtype=np.uint8):
    array = np.zeros(shape, dtype)
    array[3:8, 2:7, 1:4] = 1
    return array


def mended(label, values=None, image=IMAGE, kind="classes"):
    return mend_label(label, image, ValueMap(values or {}, "a reason"), kind)


def test_a_sound_label_is_left_as_it_is():
    label = volume(box())
    found = mended(label)
    assert found.changes == ()
    assert found.array is label.array


def test_floats_within_rounding_of_whole_numbers_become_integers():
    found = mended(volume(box(dtype=np.float32) * np.float32(0.99999998)))
    assert found.array.dtype == np.uint8
    np.testing.assert_array_equal(found.array, box())
    assert [change.kind for change in found.changes] == ["whole numbers"]
    assert mended(volume(box(dtype=np.float32) * np.float32(0.7))).changes == ()


def test_values_are_renumbered_and_those_of_objects_never():
    label = volume(box() * 255)
    found = mended(label, {255: 1})
    np.testing.assert_array_equal(found.array, box())
    assert found.changes[0].what == "values renumbered: 255 to 1"
    assert found.changes[0].why == "a reason"
    assert mended(label, {255: 1}, kind="instances").changes == ()
    assert label.array.max() == 255


def test_turned_axes_are_turned_back_voxel_by_voxel():
    turn = np.array([[-1.0, 0, 0, 11], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = mended(volume(box()[::-1], AFFINE @ turn))
    np.testing.assert_array_equal(found.array, box())
    np.testing.assert_allclose(found.affine, AFFINE)
    assert [change.kind for change in found.changes] == ["axes"]


@pytest.mark.parametrize(("shift_mm", "is_mended"), [(0.4, True), (0.9, True), (1.1, False)])
def test_an_affine_is_copied_up_to_half_a_voxel(shift_mm, is_mended):
    affine = AFFINE.copy()
    affine[0, 3] += shift_mm
    found = mended(volume(box(), affine))
    assert isinstance(found, MendedLabel) == is_mended
    if is_mended:
        np.testing.assert_array_equal(found.affine, AFFINE)
        np.testing.assert_array_equal(found.array, box())
        assert f"{shift_mm:g} mm from it (tolerated: 1 mm)" in found.changes[0].what
    else:
        assert "its affine puts a corner of the volume 1.1 mm" in found.what


def itk(array, affine):
    image = sitk.GetImageFromArray(array.T)
    lps = np.diag([-1, -1, 1, 1]) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


def test_another_grid_is_resampled_by_nearest_as_itk_does():
    finer = AFFINE @ np.diag([0.45, 0.45, 0.5, 1]) @ translation(2.2, 1.3, 0.7)
    array = np.zeros((20, 18, 10), np.uint8)
    array[4:14, 3:12, 2:8] = 1
    array[6:9, 5:9, 3:6] = 2
    found = mended(volume(array, finer))
    resampled = sitk.Resample(
        itk(array, finer), itk(IMAGE.array, AFFINE), sitk.Transform(), sitk.sitkNearestNeighbor
    )
    np.testing.assert_array_equal(found.array, sitk.GetArrayFromImage(resampled).T)
    assert found.array.any()
    assert [change.kind for change in found.changes] == ["resampled"]
    assert "20x18x10 at 0.9x0.9x2 mm to the image's 12x10x6 at 2x2x4 mm" in found.changes[0].what


def translation(*voxels):
    move = np.eye(4)
    move[:3, 3] = voxels
    return move


def test_a_label_outside_of_its_image_is_not_resampled():
    away = AFFINE @ translation(6, 0, 0)
    found = mended(volume(box((12, 10, 7)), away))
    assert found.what == "40 % of what it marks lies outside of its image"


def test_a_class_that_would_vanish_is_told():
    finer = AFFINE @ np.diag([0.25, 0.25, 0.25, 1])
    array = np.zeros((40, 36, 20), np.uint8)
    array[8:20, 8:20, 4:12] = 1
    array[10, 10, 6] = 2
    found = mended(volume(array, finer))
    assert found.what == "value 2 has no voxel left in the image's grid"
