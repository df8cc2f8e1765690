"""What HD95 promises."""

import warnings

import numpy as np
import pytest
import SimpleITK
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import compute_hausdorff_distance
from scipy import ndimage
from scipy.spatial.distance import cdist

from medseg.metrics import diagonal_mm, hausdorff95_mm
from tests.strategies import seeds, spatial_shapes

spacings = st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 3.0])] * 3)


def blobs(spatial, seed, share=0.3):
    mask = np.random.default_rng(seed).random(spatial) < share
    mask.flat[seed % mask.size] = True
    return mask


def test_two_points_are_as_far_apart_as_pythagoras_says():
    pred, label = np.zeros((2, 8, 8, 8), dtype=bool)
    pred[1, 1, 1] = True
    label[4, 5, 1] = True
    # 3 voxels of 2 mm and 4 of 2 mm: a triangle of 6, 8 and 10 mm
    assert hausdorff95_mm(pred, label, (2, 2, 5)) == pytest.approx(10)


def test_one_stray_voxel_in_a_hundred_is_forgiven_and_ten_are_not():
    label = np.zeros((120, 40), dtype=bool)
    label[:100, 0] = True
    pred = label.copy()
    pred[0, 30] = True  # 1 of 101 boundary voxels: above the 95th percentile
    assert hausdorff95_mm(pred, label, (1, 1)) == 0
    pred[:10, 30] = True  # 10 of 110
    assert hausdorff95_mm(pred, label, (1, 1)) == pytest.approx(30)


def test_the_percentile_is_taken_in_each_direction_before_the_greater_is_chosen():
    # 100 pixels to 1: from each of the row's pixels 0, 1, ... 99 mm, and back 0 mm; the 95th
    # percentile of 0..99 is 0.95 * 99 = 94.05. Of both lists in one it would be 94.0.
    label = np.zeros((100, 3), dtype=bool)
    label[:, 1] = True
    pred = np.zeros_like(label)
    pred[0, 1] = True
    assert hausdorff95_mm(pred, label, (1, 1)) == pytest.approx(94.05)


def test_the_distance_to_nothing_is_refused():
    something, nothing = np.ones((3, 3), dtype=bool), np.zeros((3, 3), dtype=bool)
    with pytest.raises(ValueError, match="got an empty one"):
        hausdorff95_mm(something, nothing, (1, 1))


def test_the_diagonal_goes_from_corner_to_corner():
    assert diagonal_mm((3, 4), (10, 10)) == pytest.approx(50)
    assert diagonal_mm((1, 2, 1), (2, 1.5, 6)) == pytest.approx(7)  # 2, 3 and 6 mm


@given(spatial=spatial_shapes, seed=seeds, spacing_mm=spacings)
def test_a_plain_table_of_all_distances_says_the_same(spatial, seed, spacing_mm):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = spacing_mm[: len(spatial)]
    table = cdist(*(boundary_points(mask, spacing_mm) for mask in (pred, label)))
    expected = max(np.percentile(table.min(1), 95), np.percentile(table.min(0), 95))
    assert hausdorff95_mm(pred, label, spacing_mm) == pytest.approx(expected)


@given(spatial=spatial_shapes, seed=seeds, spacing_mm=spacings)
def test_monai_says_the_same(spatial, seed, spacing_mm):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = spacing_mm[: len(spatial)]
    with warnings.catch_warnings():
        # MONAI 1.6 calls a function of its own in a way that it has deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        expected = compute_hausdorff_distance(
            *(torch.from_numpy(mask)[None, None] for mask in (pred, label)),
            include_background=True,
            percentile=95,
            spacing=spacing_mm,
        ).item()
    assert hausdorff95_mm(pred, label, spacing_mm) == pytest.approx(expected, rel=1e-5)


@given(seed=seeds, spacing_mm=spacings)
def test_simpleitks_full_distance_is_a_bound_and_equal_for_few_voxels(seed, spacing_mm):
    spatial = (9, 8, 7)
    few = [np.zeros(spatial, dtype=bool) for _ in range(2)]
    for i, mask in enumerate(few):
        mask.flat[np.random.default_rng(seed + i).integers(mask.size)] = True
    assert hausdorff95_mm(*few, spacing_mm) == pytest.approx(itk_hausdorff(*few, spacing_mm))
    many = [blobs(spatial, seed + i, share=0.05) for i in range(2)]
    assert hausdorff95_mm(*many, spacing_mm) <= itk_hausdorff(*many, spacing_mm) + 1e-4


@given(spatial=spatial_shapes, seed=seeds)
def test_it_is_symmetric_zero_for_equals_and_below_the_diagonal(spatial, seed):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = (2.0,) * len(spatial)
    distance = hausdorff95_mm(pred, label, spacing_mm)
    assert distance == hausdorff95_mm(label, pred, spacing_mm)
    assert hausdorff95_mm(pred, pred, spacing_mm) == 0
    assert 0 <= distance < diagonal_mm(spatial, spacing_mm)


@given(spatial=spatial_shapes, seed=seeds)
def test_empty_space_around_the_masks_changes_nothing(spatial, seed):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = (1.5,) * len(spatial)
    padded = hausdorff95_mm(np.pad(pred, 3), np.pad(label, 3), spacing_mm)
    assert hausdorff95_mm(pred, label, spacing_mm) == padded


def boundary_points(mask, spacing_mm):
    return np.argwhere(mask & ~ndimage.binary_erosion(mask)) * np.array(spacing_mm)


def itk_hausdorff(pred, label, spacing_mm):
    images = []
    for mask in (pred, label):
        # ITK measures to every voxel; the boundary alone makes it boundary to boundary.
        edge = mask & ~ndimage.binary_erosion(mask)
        image = SimpleITK.GetImageFromArray(edge.T.astype(np.uint8))
        image.SetSpacing(spacing_mm)
        images.append(image)
    measure = SimpleITK.HausdorffDistanceImageFilter()
    measure.Execute(*images)
    return measure.GetHausdorffDistance()
