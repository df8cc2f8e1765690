"""What the summary of many cases promises."""

import dataclasses
import statistics
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.metrics import METRICS, POOLED_METRICS, absent_scores, label_scores, summarise
from tests.strategies import seeds


def scores(name, dsc, presence="both", **others):
    return dataclasses.replace(absent_scores(name), dsc=dsc, presence=presence, **others)


def test_three_cases_of_two_classes_by_hand():
    summary = summarise(
        {
            "a": [scores("lung", 0.9), scores("infection", 0.5)],
            "b": [scores("lung", 0.6), scores("infection", 0.0, "missed", hd95_mm=400.0)],
            "c": [scores("lung", 0.9), scores("infection", 1.0, "absent")],
        }
    )
    lung, infection = summary.classes
    assert (lung.name, lung.cases, lung.worst_case) == ("lung", 3, "b")
    dsc = lung.metrics["dsc"]
    # mean of 0.9, 0.6, 0.9; sample variance (0.01 + 0.04 + 0.01) / 2 = 0.03
    assert (dsc.mean, dsc.median, dsc.sd) == pytest.approx((0.8, 0.9, 0.03**0.5))
    assert (dsc.min, dsc.max) == (0.6, 0.9)
    assert infection.presence == {"both": 1, "missed": 1, "absent": 1}
    assert infection.metrics["hd95_mm"].max == 400
    assert infection.metrics["dsc"].mean == pytest.approx(0.5)  # the missed one counts as 0
    assert summary.macro["dsc"] == pytest.approx((0.8 + 0.5) / 2)


def counted(name, tp, fp, fn, tn=0, **others):
    return dataclasses.replace(absent_scores(name), tp=tp, fp=fp, fn=fn, tn=tn, **others)


def test_one_case_has_no_spread():
    (lung,) = summarise({"a": [scores("lung", 0.7)]}).classes
    assert lung.metrics["dsc"].sd == 0
    assert lung.metrics["dsc"].ci95 == pytest.approx((0.7, 0.7))


def test_pooled_scores_count_all_cases_as_one_image_by_hand():
    summary = summarise(
        {
            "a": [counted("lung", 90, 10, 0, 100), counted("infection", 0, 0, 5, 195)],
            "b": [counted("lung", 0, 0, 10, 90), counted("infection", 5, 5, 0, 90)],
        }
    )
    lung, infection = summary.classes
    # 90 hits, 10 invented, 10 missed
    assert lung.micro["dsc"].value == pytest.approx(180 / 200)
    assert lung.micro["iou"].value == pytest.approx(90 / 110)
    assert lung.micro["accuracy"].value == pytest.approx(280 / 300)
    assert lung.micro["conformity"].value == pytest.approx(1 - 20 / 90)
    # the case that was missed counts: 5 of 10 found
    assert infection.micro["recall"].value == pytest.approx(0.5)
    assert summary.micro["dsc"].value == pytest.approx(2 * 95 / (2 * 95 + 15 + 15))
    assert set(summary.micro) == set(POOLED_METRICS)


def test_pooled_lesions_count_alike_in_all_cases():
    lesions = {"label_lesions": 4, "found_lesions": 1, "pred_lesions": 1, "right_lesions": 1}
    one = dataclasses.replace(absent_scores("lesion"), **lesions)
    (pooled,) = summarise({"a": [one], "b": [absent_scores("lesion")]}).classes
    # recall 1/4, precision 1
    assert pooled.micro["lesion_f1"].value == pytest.approx(2 * 0.25 / 1.25)


def test_the_interval_of_two_unlike_cases_reaches_from_one_to_the_other():
    # one draw in four is twice the first, one in four twice the second
    summary = summarise({"a": [scores("lung", 0.2)], "b": [scores("lung", 0.8)]})
    assert summary.classes[0].metrics["dsc"].ci95 == pytest.approx((0.2, 0.8))
    assert summary.macro_ci95["dsc"] == pytest.approx((0.2, 0.8))


def test_cases_are_drawn_with_all_their_classes():
    # Where one class is 1 the other is 0: every draw has the same mean of the classes.
    rows = {"a": (1.0, 0.0), "b": (0.0, 1.0), "c": (1.0, 0.0)}
    summary = summarise(
        {case: [scores("x", one), scores("y", other)] for case, (one, other) in rows.items()}
    )
    assert summary.macro_ci95["dsc"] == pytest.approx((0.5, 0.5))
    assert summary.classes[0].metrics["dsc"].ci95 == pytest.approx((0, 1))


@given(seed=seeds, cases=st.integers(1, 4), classes=st.integers(1, 3))
def test_intervals_keep_to_the_cases_range_and_the_order_of_classes_changes_nothing(
    seed, cases, classes
):
    names = ["background", "a", "b", "c"]
    images = np.random.default_rng(seed).integers(0, classes + 1, (cases, 2, 5, 6))
    scored = {str(i): label_scores(*pair, names, (1, 2)) for i, pair in enumerate(images)}
    summary = summarise(scored, seed=seed)
    assert summary == summarise(scored, seed=seed)
    for metric in METRICS:
        spread = summary.classes[0].metrics[metric]
        assert spread.min - 1e-9 <= spread.ci95[0] <= spread.ci95[1] <= spread.max + 1e-9
    for order in permutations(range(3)):
        turned = {case: [rows[i] for i in order] for case, rows in scored.items()}
        other = summarise(turned, seed=seed)
        assert other.macro["dsc"] == pytest.approx(summary.macro["dsc"])
        assert other.micro == summary.micro
        assert [summary.classes[i].micro for i in order] == [one.micro for one in other.classes]


@given(values=st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_the_standard_library_agrees(values):
    (lung,) = summarise({str(i): [scores("lung", v)] for i, v in enumerate(values)}).classes
    dsc = lung.metrics["dsc"]
    assert dsc.mean == pytest.approx(statistics.mean(values))
    assert dsc.median == pytest.approx(statistics.median(values))
    assert dsc.sd == pytest.approx(statistics.stdev(values), abs=1e-9)
    assert (dsc.min, dsc.max) == (min(values), max(values))
    assert values[int(lung.worst_case)] == min(values)


@pytest.mark.parametrize(
    "cases",
    [{}, {"a": []}, {"a": [scores("lung", 1.0)], "b": [scores("liver", 1.0)]}],
)
def test_cases_that_cannot_be_put_together_are_refused(cases):
    with pytest.raises(ValueError, match="cases with the same classes"):
        summarise(cases)
