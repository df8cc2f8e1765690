"""What scores of counted voxels promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.metrics.voxel_counts import confusion, one_against_rest, overlap_scores, volume_error

counts = st.tuples(*[st.integers(0, 50)] * 4)


def test_ten_voxels_by_hand():
    # 4 hits, 2 false positives, 1 false negative, 3 true negatives
    scores = overlap_scores(np.array([4, 2, 1, 3]))
    assert scores["dsc"] == pytest.approx(8 / 11)
    assert scores["iou"] == pytest.approx(4 / 7)
    assert scores["precision"] == pytest.approx(4 / 6)
    assert scores["recall"] == pytest.approx(4 / 5)
    assert scores["accuracy"] == pytest.approx(7 / 10)
    assert scores["conformity"] == pytest.approx(1 - 3 / 4)


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "tn", "score", "accuracy", "conformity"),
    [
        (0, 0, 2, 8, 0, 0.8, -9),  # missed: conformity is 1 - 10
        (0, 2, 0, 8, 0, 0.8, -9),  # invented
        (0, 1, 2, 7, 0, 0.7, -9),  # both, but nowhere together
        (0, 0, 0, 10, 1, 1, 1),  # absent
        (0, 0, 0, 0, 1, 1, 1),  # no voxel at all
    ],
)
def test_scores_are_defined_without_true_positives(tp, fp, fn, tn, score, accuracy, conformity):
    scores = overlap_scores(np.array([tp, fp, fn, tn]))
    for name in ("dsc", "iou", "precision", "recall"):
        assert scores[name] == score
    assert (scores["accuracy"], scores["conformity"]) == (accuracy, conformity)


@given(counts=counts)
def test_scores_stay_in_their_bounds_and_no_hit_is_the_worst_conformity(counts):
    tp, fp, fn, tn = counts
    scores = overlap_scores(np.array(counts))
    for name in ("dsc", "iou", "precision", "recall", "accuracy"):
        assert 0 <= scores[name] <= 1
    assert scores["conformity"] <= 1
    if tp and fp + fn:
        assert scores["conformity"] > overlap_scores(np.array([0, fp + tp, fn, tn]))["conformity"]


@given(counts=counts.filter(lambda four: four[0] > 0))
def test_conformity_is_the_known_function_of_dice(counts):
    scores = overlap_scores(np.array(counts))
    assert scores["conformity"] == pytest.approx(3 - 2 / scores["dsc"])


@given(rows=st.lists(counts, min_size=1, max_size=5))
def test_many_counts_at_once_score_as_one_by_one(rows):
    together = overlap_scores(np.array(rows))
    for i, row in enumerate(rows):
        for name, value in overlap_scores(np.array(row)).items():
            assert together[name][i] == value


@given(seed=st.integers(0, 2**31 - 1), classes=st.integers(1, 4))
def test_each_class_is_counted_against_all_others(seed, classes):
    pred, label = np.random.default_rng(seed).integers(0, classes, (2, 6, 7), dtype=np.uint8)
    table = one_against_rest(confusion(pred, label, classes))
    for value, row in enumerate(table.tolist()):
        one, other = pred == value, label == value
        quarters = [(one, other), (one, ~other), (~one, other), (~one, ~other)]
        assert row == [(a & b).sum() for a, b in quarters]


@pytest.mark.parametrize(
    ("in_pred", "in_label", "error"), [(3, 4, 0.25), (6, 4, 0.5), (0, 4, 1), (9, 0, 1), (0, 0, 0)]
)
def test_the_volume_error_is_a_share_of_the_label(in_pred, in_label, error):
    assert volume_error(in_pred, in_label) == error
