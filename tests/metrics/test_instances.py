"""What SEG and panoptic quality promise."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import compute_panoptic_quality

from medseg.errors import DataError
from medseg.metrics import instance_scores, objects, pooled_instances
from tests.strategies import seeds, spatial_shapes


def cells(spatial, seed, most=6):
    values = np.random.default_rng(seed).integers(0, most, (2, *spatial))
    # Half of the label's voxels agree, so that some pairs match.
    same = np.random.default_rng(seed + 1).random(spatial) < 0.7
    return np.where(same, values[1], values[0]), values[1]


def test_three_cells_by_hand():
    label = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3, 3]])
    pred = np.array([[7, 7, 7, 0, 0, 4, 4, 4, 5, 0]])
    # 1 and 7: 3 of 4. 2 and 4: 2 of 3. 3 and 5: 1 of 2, which is neither more than half of
    # cell 3 nor an IoU above a half.
    scores = instance_scores(pred, label)
    assert (scores.label_objects, scores.pred_objects, scores.matched) == (3, 3, 2)
    assert scores.seg == pytest.approx((3 / 4 + 2 / 3 + 0) / 3)
    assert scores.sq == pytest.approx((3 / 4 + 2 / 3) / 2)
    assert scores.rq == pytest.approx(2 / 3)
    assert scores.pq == pytest.approx((3 / 4 + 2 / 3) / 3)


def test_seg_takes_a_cell_that_is_covered_though_the_union_is_large():
    # All of cell 1 lies in a prediction five times as large: a match for SEG, none for PQ.
    scores = instance_scores(np.array([[1, 1, 1, 1, 1]]), np.array([[0, 1, 0, 0, 0]]))
    assert scores.seg == pytest.approx(1 / 5)
    assert (scores.pq, scores.sq, scores.rq) == (0, 0, 0)


def test_seg_ignores_false_positive_cells_and_panoptic_quality_counts_them():
    scores = instance_scores(np.array([[1, 0, 2]]), np.array([[1, 0, 0]]))
    assert (scores.seg, scores.sq, scores.rq) == (1, 1, pytest.approx(2 / 3))


@pytest.mark.parametrize(("pred", "label", "score"), [(0, 0, 1), (1, 0, 0), (0, 1, 0)])
def test_an_image_without_cells_has_scores(pred, label, score):
    scores = instance_scores(np.full((2, 2), pred), np.full((2, 2), label))
    assert (scores.seg, scores.sq, scores.rq, scores.pq) == (score,) * 4


def test_pooled_every_cell_weighs_the_same():
    one = instance_scores(np.array([[1, 1]]), np.array([[1, 1]]))
    three = instance_scores(np.array([[0, 0, 0]]), np.array([[1, 2, 3]]))
    both = pooled_instances([one, three])
    assert both.seg == pytest.approx(1 / 4)
    assert both.rq == pytest.approx(2 * 1 / (4 + 1))
    # and a frame with nothing but an invented cell leaves SEG alone, and not PQ
    invented = instance_scores(np.array([[1]]), np.array([[0]]))
    assert pooled_instances([one, invented]).seg == 1
    assert pooled_instances([one, invented]).pq == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="one image at least"):
        pooled_instances([])


@given(spatial=spatial_shapes, seed=seeds)
def test_monai_says_the_same_to_its_smoothing(spatial, seed):
    pred, label = cells(spatial, seed)
    scores = instance_scores(pred, label)
    for name in ("pq", "sq", "rq"):
        expected = compute_panoptic_quality(torch.tensor(pred), torch.tensor(label), name).item()
        assert getattr(scores, name) == pytest.approx(expected, abs=1e-5)


@given(spatial=spatial_shapes, seed=seeds)
def test_seg_is_what_its_definition_says_cell_by_cell(spatial, seed):
    pred, label = cells(spatial, seed)
    ious = []
    for number in np.unique(label[label > 0]):
        cell = label == number
        covering = [pred == n for n in np.unique(pred[cell]) if n]
        covering = [mask for mask in covering if (mask & cell).sum() > 0.5 * cell.sum()]
        ious.append((covering[0] & cell).sum() / (covering[0] | cell).sum() if covering else 0)
    assert instance_scores(pred, label).seg == pytest.approx(np.mean(ious))


@given(spatial=spatial_shapes, seed=seeds)
def test_numbers_do_not_matter_however_large(spatial, seed):
    pred, label = cells(spatial, seed)
    numbers = np.array([0, 10**12, 3, 77, 5, 2**40])
    renamed = instance_scores(numbers[pred], np.array([0, 4, 1, 5, 2, 3], dtype=np.uint16)[label])
    assert renamed.seg == pytest.approx(instance_scores(pred, label).seg)
    assert renamed.pq == pytest.approx(instance_scores(pred, label).pq)


@given(spatial=spatial_shapes, seed=seeds, most=st.integers(1, 9))
def test_scores_are_bounded_panoptic_quality_symmetric_and_equals_perfect(spatial, seed, most):
    pred, label = cells(spatial, seed, most)
    scores, back = instance_scores(pred, label), instance_scores(label, pred)
    for name in ("seg", "pq", "sq", "rq"):
        assert 0 <= getattr(scores, name) <= 1
        assert getattr(instance_scores(label, label), name) == 1
    assert scores.pq == pytest.approx(back.pq)


def test_many_cells_are_counted_by_sorting_as_by_table(monkeypatch):
    pred, label = cells((12, 12), 3, most=40)
    by_table = instance_scores(pred, label)
    monkeypatch.setattr(objects, "_TABLE_CELLS", 0)
    assert instance_scores(pred, label) == by_table


def test_what_does_not_number_objects_is_refused():
    ones = np.ones((2, 2), dtype=int)
    with pytest.raises(DataError, match=r"one shape, got \(2, 2\) and \(1, 2\)"):
        instance_scores(ones, ones[:1])
    with pytest.raises(DataError, match="prediction must number its objects with integers"):
        instance_scores(ones.astype(float), ones)
    with pytest.raises(DataError, match="label has an object with number -1"):
        instance_scores(ones, -ones)
