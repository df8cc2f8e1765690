"""What the distances of boundaries promise: HD95, NSD and ASSD."""

import warnings

import numpy as np
import pytest
import SimpleITK
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import (
    compute_average_surface_distance,
    compute_hausdorff_distance,
    compute_surface_dice,
)
from scipy import ndimage
from scipy.spatial.distance import cdist

from medseg.metrics import diagonal_mm, hausdorff95_mm, surface_scores
from tests.strategies import seeds, spatial_shapes

tolerances_mm = st.sampled_from([0.0, 0.5, 0.7, 1.0, 2.1, 3.0])
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


def test_hd95_ignores_one_outlier_in_a_hundred_voxels_but_not_ten():
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


def test_three_pixels_against_two_by_hand():
    # In a column of 2 mm pixels the label is 1, 2, 3 and the prediction 3, 7. From the label 4, 2
    # and 0 mm to the prediction; from the prediction 0 and 8 mm to the label.
    label, pred = np.zeros((2, 9, 1), dtype=bool)
    label[1:4], pred[[3, 7]] = True, True
    scores = surface_scores(pred, label, (2, 1), tolerance_mm=2)
    assert scores.nsd == pytest.approx(3 / 5)  # 2, 0 and 0 mm are within
    assert scores.assd_mm == pytest.approx((4 + 2 + 0 + 0 + 8) / 5)
    # percentiles: of 0, 2, 4 at place 1.9 it is 3.8; of 0, 8 at place 0.95 it is 7.6
    assert scores.hd95_mm == pytest.approx(7.6)


def test_boundary_voxels_count_alike_and_not_by_their_area():
    # A solid cube of 3 and its copy one voxel on: 26 boundary voxels each, the centre is none.
    # 9 of the label's lie in the plane that the prediction leaves, 1 mm off. The 17 others are
    # on the prediction's boundary but for one, its centre, 1 mm off; and back the same.
    label = np.zeros((7, 7, 7), dtype=bool)
    label[1:4, 1:4, 1:4] = True
    pred = np.roll(label, 1, axis=0)
    scores = surface_scores(pred, label, (1, 1, 1), tolerance_mm=0)
    assert scores.nsd == pytest.approx(16 / 26)
    assert scores.assd_mm == pytest.approx(10 / 26)


def test_a_distance_equal_to_the_tolerance_is_within_whatever_the_rounding():
    label, pred = np.zeros((2, 9, 1), dtype=bool)
    label[5], pred[4] = True, True
    assert 0.7 * 5 - 0.7 * 4 > 0.7
    assert surface_scores(pred, label, (0.7, 1), tolerance_mm=0.7).nsd == 1
    assert surface_scores(pred, label, (0.7, 1), tolerance_mm=0.69).nsd == 0


def test_an_empty_mask_is_refused():
    something, nothing = np.ones((3, 3), dtype=bool), np.zeros((3, 3), dtype=bool)
    with pytest.raises(ValueError, match="got an empty one"):
        hausdorff95_mm(something, nothing, (1, 1))


def test_the_diagonal_goes_from_corner_to_corner():
    assert diagonal_mm((3, 4), (10, 10)) == pytest.approx(50)
    assert diagonal_mm((1, 2, 1), (2, 1.5, 6)) == pytest.approx(7)  # 2, 3 and 6 mm


@given(spatial=spatial_shapes, seed=seeds, spacing_mm=spacings, tolerance_mm=tolerances_mm)
def test_a_table_of_all_pairwise_distances_gives_the_same(spatial, seed, spacing_mm, tolerance_mm):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = spacing_mm[: len(spatial)]
    table = cdist(*(boundary_points(mask, spacing_mm) for mask in (pred, label)))
    there, back = table.min(1), table.min(0)
    scores = surface_scores(pred, label, spacing_mm, tolerance_mm=tolerance_mm)
    assert scores.hd95_mm == pytest.approx(max(np.percentile(d, 95) for d in (there, back)))
    everything = np.concatenate([there, back])
    assert scores.nsd == pytest.approx((everything <= tolerance_mm + 1e-6).mean())
    assert scores.assd_mm == pytest.approx(everything.mean())


@given(spatial=spatial_shapes, seed=seeds, spacing_mm=spacings, tolerance_mm=tolerances_mm)
def test_monai_says_the_same(spatial, seed, spacing_mm, tolerance_mm):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = spacing_mm[: len(spatial)]
    with warnings.catch_warnings():
        # MONAI 1.6 calls a function of its own in a way that it has deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        masks = [torch.from_numpy(mask)[None, None] for mask in (pred, label)]
        options = {"include_background": True, "spacing": spacing_mm}
        hd95_mm = compute_hausdorff_distance(*masks, percentile=95, **options).item()
        # MONAI's distances are in single precision: 2.1 mm may be a little more.
        nsd = compute_surface_dice(*masks, class_thresholds=[tolerance_mm + 1e-5], **options).item()
        assd_mm = compute_average_surface_distance(*masks, symmetric=True, **options).item()
    scores = surface_scores(pred, label, spacing_mm, tolerance_mm=tolerance_mm)
    assert scores.hd95_mm == pytest.approx(hd95_mm, rel=1e-5)
    assert scores.nsd == pytest.approx(nsd, rel=1e-5)
    assert scores.assd_mm == pytest.approx(assd_mm, rel=1e-5)


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
    scores = surface_scores(pred, label, spacing_mm, tolerance_mm=2)
    back = surface_scores(label, pred, spacing_mm, tolerance_mm=2)
    assert (scores.hd95_mm, scores.nsd) == (back.hd95_mm, back.nsd)
    assert scores.assd_mm == pytest.approx(back.assd_mm)
    same = surface_scores(pred, pred, spacing_mm, tolerance_mm=0)
    assert (same.hd95_mm, same.nsd, same.assd_mm) == (0, 1, 0)
    assert 0 <= scores.hd95_mm < diagonal_mm(spatial, spacing_mm)
    assert 0 <= scores.assd_mm < diagonal_mm(spatial, spacing_mm)
    assert 0 <= scores.nsd <= 1


@given(spatial=spatial_shapes, seed=seeds)
def test_nsd_grows_with_the_tolerance_up_to_one(spatial, seed):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = (2.0,) * len(spatial)
    farthest_mm = diagonal_mm(spatial, spacing_mm)
    nsds = [
        surface_scores(pred, label, spacing_mm, tolerance_mm=mm).nsd
        for mm in (0, 1, 2, 3, 5, farthest_mm)
    ]
    assert nsds == sorted(nsds)
    assert nsds[-1] == 1


@given(spatial=spatial_shapes, seed=seeds)
def test_empty_space_around_the_masks_changes_nothing(spatial, seed):
    pred, label = blobs(spatial, seed), blobs(spatial, seed + 1)
    spacing_mm = (1.5,) * len(spatial)
    padded = surface_scores(np.pad(pred, 3), np.pad(label, 3), spacing_mm, tolerance_mm=2)
    assert surface_scores(pred, label, spacing_mm, tolerance_mm=2) == padded


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
