"""Grids: a label is brought to the image's axes exactly, or its other grid is named."""

import itertools

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, ornt_transform

from medseg.data.datasets.grids import grid_problems, same_axes
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume

# Oblique, with three spacings.
TURN = np.linalg.qr(np.eye(3) + 0.1 * np.random.default_rng(0).normal(size=(3, 3)))[0]
AFFINE = np.eye(4)
AFFINE[:3, :3] = TURN * np.sign(np.diag(TURN)) * (0.7, 1.1, 3)
AFFINE[:3, 3] = 5, -40, 12
ARRAY = np.random.default_rng(1).integers(0, 4, (4, 5, 6)).astype(np.uint8)
AXES = ["".join(axes) for axes in itertools.permutations("RAS")]
FLIPPED = str.maketrans("RAS", "LPI")


def volume(array, affine):
    spacing = tuple(np.sqrt((affine[:3, :3] ** 2).sum(0)).tolist())
    return Volume(array=array, affine=affine, spacing_mm=spacing, dtype=array.dtype.name)


REFERENCE = volume(ARRAY, AFFINE)


@given(st.sampled_from(AXES), st.sets(st.integers(0, 2)))
def test_a_label_turned_by_nibabel_comes_back_voxel_by_voxel(axes, flipped):
    codes = [axis.translate(FLIPPED) if n in flipped else axis for n, axis in enumerate(axes)]
    image = nibabel.Nifti1Image(ARRAY, AFFINE)
    start = nibabel.orientations.io_orientation(AFFINE)
    turned = image.as_reoriented(ornt_transform(start, axcodes2ornt(codes)))
    label = volume(np.asarray(turned.dataobj), turned.affine)
    back = same_axes(REFERENCE, label)
    np.testing.assert_array_equal(back.array, ARRAY)
    np.testing.assert_allclose(back.affine, AFFINE, atol=1e-9)
    assert back.spacing_mm == pytest.approx((0.7, 1.1, 3))
    assert grid_problems(REFERENCE, back) == ()
    problems = grid_problems(REFERENCE, label)
    assert [p.what.startswith("has the image's voxels with other axes") for p in problems] == (
        [] if codes == ["R", "A", "S"] else [True]
    )


def test_a_label_that_lies_elsewhere_is_told_by_its_distance_after_turning_too():
    moved = AFFINE.copy()
    moved[0, 3] += 0.5
    image = nibabel.Nifti1Image(ARRAY, moved).as_reoriented(axcodes2ornt("LPS"))
    label = volume(np.asarray(image.dataobj), image.affine)
    (problem,) = grid_problems(REFERENCE, same_axes(REFERENCE, label), other="the reference's")
    assert "0.5 mm from where the reference's does" in problem.what
    assert "copy the other affine only if you see that they overlay" in problem.remedy


def test_a_volume_is_no_label_of_a_picture_nor_a_picture_of_a_volume():
    picture = Picture(array=ARRAY[:, :, :1], dtype="uint8")
    slice_ = volume(ARRAY[:, :, :1], np.eye(4))
    (problem,) = grid_problems(picture, slice_)
    assert problem.what == "is a volume, and the image is a picture"
    (problem,) = grid_problems(slice_, picture, other="the reference's")
    assert problem.what == "is a picture, and the reference is a volume"
