"""What lesion-wise F1 promises."""

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.metrics import lesion_counts
from medseg.metrics.lesions import lesion_f1
from tests.strategies import seeds, spatial_shapes

overlaps = st.sampled_from(["any", "half", "iou"])


def row(text):
    return np.array([[mark == "#" for mark in text]])


def f1(counts):
    return float(lesion_f1(np.array([counts.label, counts.found, counts.pred, counts.right])))


def masks(spatial, seed):
    return np.random.default_rng(seed).random((2, *spatial)) < 0.25


#   lesions:      A    B   C       label: 3 lesions of 4, 2 and 1 pixels
LABEL = row("....####..##..#....")
#   predicted:    1    2      3    1 on one pixel of A, 2 on B and one beside, 3 on nothing
PRED = row("...##.....###....##")


def test_lesions_by_hand_one_voxel_is_enough():
    counts = lesion_counts(PRED, LABEL)
    # A and B are found, 1 and 2 are right: recall 2/3, precision 2/3
    assert (counts.label, counts.found, counts.pred, counts.right) == (3, 2, 3, 2)
    assert f1(counts) == pytest.approx(2 / 3)


def test_lesions_by_hand_more_than_half_is_needed():
    counts = lesion_counts(PRED, LABEL, overlap="half")
    # of A one quarter, of B all; of 1 exactly half, of 2 two thirds
    assert (counts.found, counts.right) == (1, 1)
    assert f1(counts) == pytest.approx(1 / 3)


def test_lesions_by_hand_one_to_one():
    # B and 2 share 2 of 3 pixels
    counts = lesion_counts(PRED, LABEL, overlap="iou")
    assert (counts.found, counts.right) == (1, 1)
    # a prediction that covers two lesions is one of neither: IoU 2/5 with each
    merged = lesion_counts(row(".#####."), row(".##.##."), overlap="iou")
    assert (merged.label, merged.found, merged.pred, merged.right) == (2, 0, 1, 0)
    # but it touches both
    merged = lesion_counts(row(".#####."), row(".##.##."))
    assert (merged.label, merged.found, merged.pred, merged.right) == (2, 2, 1, 1)


def test_voxels_that_touch_over_a_corner_are_one_lesion():
    counts = lesion_counts(np.eye(4, dtype=bool), np.eye(4, dtype=bool))
    assert (counts.label, counts.found) == (1, 1)


@pytest.mark.parametrize(("pred", "label", "score"), [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
@pytest.mark.parametrize("overlap", ["any", "half", "iou"])
def test_no_lesions_in_both_score_one_and_in_one_score_nothing(pred, label, score, overlap):
    counts = lesion_counts(*np.array([[[pred]], [[label]]], dtype=bool), overlap=overlap)
    assert f1(counts) == score


@given(spatial=spatial_shapes, seed=seeds, overlap=overlaps)
def test_f1_is_symmetric_bounded_and_one_for_equals(spatial, seed, overlap):
    pred, label = masks(spatial, seed)
    there = lesion_counts(pred, label, overlap=overlap)
    back = lesion_counts(label, pred, overlap=overlap)
    assert (there.label, there.found, there.pred, there.right) == (
        *(back.pred, back.right, back.label, back.found),
    )
    assert f1(there) == pytest.approx(f1(back))
    assert 0 <= f1(there) <= 1
    assert f1(lesion_counts(pred, pred, overlap=overlap)) == 1


@given(spatial=spatial_shapes, seed=seeds)
def test_a_stricter_criterion_finds_no_more_lesions(spatial, seed):
    pred, label = masks(spatial, seed)
    loose, half, strict = (
        lesion_counts(pred, label, overlap=word) for word in ("any", "half", "iou")
    )
    assert loose.found >= half.found >= strict.found
    assert loose.right >= half.right >= strict.right
    assert strict.found == strict.right


@given(spatial=spatial_shapes, seed=seeds)
def test_simpleitk_sees_the_same_lesions_found(spatial, seed):
    pred, label = masks(spatial, seed)
    counts = lesion_counts(pred, label)
    lesions = itk_components(label)
    assert counts.label == lesions.max()
    assert counts.pred == itk_components(pred).max()
    assert counts.found == len(set(lesions[pred & label]))


def test_an_unknown_criterion_is_refused():
    with pytest.raises(UsageError, match="must be one of any, half, iou, got 'most'"):
        lesion_counts(LABEL, LABEL, overlap="most")


def itk_components(mask):
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    components = SimpleITK.ConnectedComponent(image, True)  # noqa: FBT003 - fully connected
    return SimpleITK.GetArrayFromImage(components)
