"""What the summary of many cases promises."""

import dataclasses
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.metrics import absent_scores, summarise


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


def test_one_case_has_no_spread():
    (lung,) = summarise({"a": [scores("lung", 0.7)]}).classes
    assert lung.metrics["dsc"].sd == 0


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
