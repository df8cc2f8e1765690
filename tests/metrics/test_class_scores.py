"""What the scores of one case promise."""

import math

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError, UsageError
from medseg.metrics import Criteria, absent_scores, label_scores
from tests.strategies import seeds, spatial_shapes

NAMES = ["background", "lung", "infection"]


def case(spatial, seed, classes=3):
    values = np.random.default_rng(seed).integers(0, classes, (2, *spatial))
    return values.astype(np.uint8)


def test_the_scores_of_six_pixels_by_hand():
    label = np.array([[1, 1, 1], [0, 0, 0]])
    pred = np.array([[1, 1, 0], [1, 1, 0]])
    (lung,) = label_scores(pred, label, ["background", "lung"], (10, 20))
    # 2 pixels agree, 4 are predicted, 3 are true, 5 are in either
    assert lung.presence == "both"
    assert lung.dsc == pytest.approx(2 * 2 / (4 + 3))
    assert lung.iou == pytest.approx(2 / 5)
    assert lung.precision == pytest.approx(2 / 4)
    assert lung.recall == pytest.approx(2 / 3)
    # a pixel is 10 x 20 x 1 mm = 0.2 ml
    assert lung.pred_ml == pytest.approx(0.8)
    assert lung.label_ml == pytest.approx(0.6)
    # All pixels are boundary. pred to label: 0, 0, 10, 10 mm, so the 95th percentile is 10;
    # back: 0, 0, 20 mm, 95th percentile at place 0.95 * 2 = 1.9 of 0..2, so 0.9 * 20 = 18
    assert lung.hd95_mm == pytest.approx(18)
    # All seven distances: 0, 0, 10, 10 and 0, 0, 20
    assert lung.assd_mm == pytest.approx(40 / 7)
    assert lung.nsd == pytest.approx(4 / 7)  # within 2 mm
    assert (lung.tp, lung.fp, lung.fn, lung.tn) == (2, 2, 1, 1)
    assert lung.accuracy == pytest.approx(3 / 6)
    assert lung.conformity == pytest.approx(1 - 3 / 2)
    assert lung.volume_error_percent == pytest.approx(100 / 3)
    # one lesion each, and they touch
    assert (lung.label_lesions, lung.found_lesions, lung.pred_lesions, lung.right_lesions) == (
        1,
    ) * 4
    assert lung.lesion_f1 == 1


def test_criteria_decide_what_counts_as_right():
    label = np.array([[1, 1, 1], [0, 0, 0]])
    pred = np.array([[1, 1, 0], [1, 1, 0]])
    criteria = Criteria(tolerance_mm=10, lesion_overlap="half")
    (lung,) = label_scores(pred, label, ["background", "lung"], (10, 20), criteria)
    assert lung.nsd == pytest.approx(6 / 7)
    # 2 of the label's 3 pixels are predicted, 2 of the prediction's 4 are right: not more than half
    assert (lung.found_lesions, lung.right_lesions, lung.lesion_f1) == (1, 0, 0)


@pytest.mark.parametrize("tolerance_mm", [-1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance_mm):
    with pytest.raises(UsageError, match="tolerance_mm must be a finite number of at least 0"):
        Criteria(tolerance_mm=tolerance_mm)


def test_an_unknown_word_for_overlap_is_refused():
    with pytest.raises(
        UsageError, match="lesion_overlap must be one of any, half, iou, got 'most'"
    ):
        Criteria(lesion_overlap="most")


@pytest.mark.parametrize(
    ("in_pred", "in_label", "presence", "score", "hd95_mm"),
    [
        (0, 1, "missed", 0, 50),  # a volume of 3 x 4 pixels of 10 mm: its diagonal is 50 mm
        (1, 0, "invented", 0, 50),
        (0, 0, "absent", 1, 0),
    ],
)
def test_an_empty_class_has_scores_and_no_nan(in_pred, in_label, presence, score, hd95_mm):
    pred, label = (np.full((3, 4), value) for value in (in_pred, in_label))
    (lung,) = label_scores(pred, label, ["background", "lung"], (10, 10))
    assert lung.presence == presence
    assert (lung.dsc, lung.iou, lung.precision, lung.recall) == (score,) * 4
    assert (lung.nsd, lung.lesion_f1) == (score, score)
    assert (lung.hd95_mm, lung.assd_mm) == pytest.approx((hd95_mm, hd95_mm))
    assert lung.volume_error_percent == (100 if hd95_mm else 0)
    assert lung.conformity == (1 - 12 if hd95_mm else 1)  # 12 pixels
    assert lung.accuracy == score  # all 12 are wrong, or right


def test_an_absent_class_scores_as_absent_scores_does():
    nothing = np.zeros((3, 4), dtype=int)
    scores = label_scores(nothing, nothing, ["background", "lung"], (1, 1))
    assert scores == [absent_scores("lung", voxels=12)]


def test_classes_that_do_not_touch_score_nothing_but_are_measured():
    pred, label = np.zeros((2, 1, 9), dtype=int)
    pred[0, 1], label[0, 6] = 1, 1
    (lung,) = label_scores(pred, label, ["background", "lung"], (1, 2))
    assert (lung.presence, lung.dsc, lung.precision, lung.recall) == ("both", 0, 0, 0)
    assert lung.hd95_mm == pytest.approx(10)  # 5 pixels of 2 mm


@given(spatial=spatial_shapes, seed=seeds)
def test_all_scores_stay_in_their_bounds(spatial, seed):
    spacing_mm = (1.5,) * len(spatial)
    for scores in label_scores(*case(spatial, seed), NAMES, spacing_mm):
        for share in ("dsc", "iou", "precision", "recall", "accuracy", "nsd", "lesion_f1"):
            assert 0 <= getattr(scores, share) <= 1
        farthest_mm = math.hypot(*(1.5 * n for n in spatial))
        assert 0 <= scores.hd95_mm <= farthest_mm
        assert 0 <= scores.assd_mm <= farthest_mm
        assert 1 - math.prod(spatial) <= scores.conformity <= 1
        assert scores.volume_error_percent >= 0
        assert scores.tp + scores.fp + scores.fn + scores.tn == math.prod(spatial)


@given(spatial=spatial_shapes, seed=seeds, order=st.permutations([1, 2, 3]))
def test_classes_that_change_places_take_their_scores_along(spatial, seed, order):
    names = ["background", "a", "b", "c"]
    spacing_mm = (1.5,) * len(spatial)
    pred, label = case(spatial, seed, classes=4)
    plain = label_scores(pred, label, names, spacing_mm)
    moved = np.array([0, *order])
    moved_names = ["background"] + [names[order.index(value) + 1] for value in (1, 2, 3)]
    scores = label_scores(moved[pred], moved[label], moved_names, spacing_mm)
    assert sorted(scores, key=lambda one: one.name) == plain


@given(spatial=spatial_shapes, seed=seeds, classes=st.integers(1, 3))
def test_dice_and_iou_are_one_another(spatial, seed, classes):
    # classes of 1 or 2 leave one or both structures empty
    for scores in label_scores(*case(spatial, seed, classes), NAMES, (1,) * len(spatial)):
        assert scores.dsc == pytest.approx(2 * scores.iou / (1 + scores.iou))


@given(spatial=spatial_shapes, seed=seeds, absent=st.sampled_from([0, 1, 2]))
def test_pred_and_label_swap_precision_and_recall_and_volumes_and_no_other_score(
    spatial, seed, absent
):
    pred, label = case(spatial, seed)
    pred[pred == absent] = 0
    spacing_mm = tuple(0.5 + i for i in range(len(spatial)))
    there = label_scores(pred, label, NAMES, spacing_mm)
    back = label_scores(label, pred, NAMES, spacing_mm)
    for one, other in zip(there, back, strict=True):
        for same in ("dsc", "iou", "accuracy", "conformity", "hd95_mm", "nsd", "tp", "tn"):
            assert getattr(one, same) == getattr(other, same)
        assert one.assd_mm == pytest.approx(other.assd_mm)
        assert one.lesion_f1 == pytest.approx(other.lesion_f1)
        assert (one.precision, one.recall) == (other.recall, other.precision)
        assert (one.pred_ml, one.label_ml) == (other.label_ml, other.pred_ml)


@given(spatial=spatial_shapes, seed=seeds)
def test_a_perfect_prediction_scores_one(spatial, seed):
    label, _ = case(spatial, seed)
    for scores in label_scores(label, label, NAMES, (1,) * len(spatial)):
        for name in ("dsc", "iou", "precision", "recall", "accuracy", "conformity", "nsd"):
            assert getattr(scores, name) == 1
        assert (scores.hd95_mm, scores.assd_mm, scores.volume_error_percent) == (0, 0, 0)
        assert scores.lesion_f1 == 1


@given(spatial=spatial_shapes, seed=seeds)
def test_simpleitk_counts_the_same(spatial, seed):
    pred, label = case(spatial, seed)
    measure = SimpleITK.LabelOverlapMeasuresImageFilter()
    measure.Execute(SimpleITK.GetImageFromArray(pred), SimpleITK.GetImageFromArray(label))
    for value, scores in enumerate(label_scores(pred, label, NAMES, (1,) * len(spatial)), start=1):
        assert scores.dsc == pytest.approx(measure.GetDiceCoefficient(value))
        assert scores.iou == pytest.approx(measure.GetJaccardCoefficient(value))
        assert scores.recall == pytest.approx(1 - measure.GetFalseNegativeError(value))
        assert scores.precision == pytest.approx(1 - measure.GetFalseDiscoveryRate(value))


@given(spatial=spatial_shapes, seed=seeds, kind=st.sampled_from(["uint8", ">i2", "uint16", "i8"]))
def test_neither_memory_order_nor_integer_type_matters(spatial, seed, kind):
    pred, label = case(spatial, seed)
    spacing_mm = tuple(0.5 + i for i in range(len(spatial)))
    plain = label_scores(pred, label, NAMES, spacing_mm)
    fortran = [np.asfortranarray(values).astype(kind) for values in (pred, label)]
    for one, other in zip(plain, label_scores(*fortran, NAMES, spacing_mm), strict=True):
        assert other.dsc == one.dsc
        assert other.hd95_mm == pytest.approx(one.hd95_mm)
        assert other.pred_ml == pytest.approx(one.pred_ml)


def test_a_volume_of_more_than_one_slab_is_counted_whole():
    label = np.zeros((3, 700, 700), dtype=np.uint8)  # 1.47 million voxels
    label[:, :, ::7] = 1  # 3 * 700 * 100 voxels of 1 mm3
    (lung,) = label_scores(label, label, ["background", "lung"], (1, 1, 1))
    assert lung.label_ml == pytest.approx(210)


def test_a_value_without_a_name_is_refused():
    label = np.array([[0, 7]])
    message = "label holds the value 7, but 0 to 2 have names: background, lung, infection"
    with pytest.raises(DataError, match=message):
        label_scores(np.zeros_like(label), label, NAMES, (1, 1))
    with pytest.raises(DataError, match="prediction holds the value -1"):
        label_scores(-np.ones_like(label), np.zeros_like(label), NAMES, (1, 1))


def test_numbers_that_are_no_integers_are_refused():
    with pytest.raises(DataError, match="prediction must hold integers, got float32"):
        label_scores(np.zeros((2, 2), dtype=np.float32), np.zeros((2, 2), dtype=int), NAMES, (1, 1))


@pytest.mark.parametrize(("shape", "spacing_mm"), [((2, 3), (1, 1)), ((2, 2), (1, 1, 1))])
def test_shapes_that_do_not_agree_are_named(shape, spacing_mm):
    with pytest.raises(DataError, match=r"must agree, got \(2, 2\), \(2, [23]\) and [23] spacings"):
        label_scores(np.zeros((2, 2), dtype=int), np.zeros(shape, dtype=int), NAMES, spacing_mm)
