"""What the summary by group promises."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.metrics import absent_scores, summarise, summarise_groups


def scores(dsc, name="gland"):
    return dataclasses.replace(absent_scores(name), dsc=dsc, presence="both")


CASES = {"a": [scores(0.9)], "b": [scores(0.7)], "c": [scores(0.5)]}
GROUPS = {"a": "polyp", "b": "polyp", "c": "adenoma"}

values = st.lists(st.tuples(st.floats(0, 1), st.sampled_from("xyz")), min_size=1, max_size=12)


def test_three_cases_of_two_groups_by_hand():
    by_group = summarise_groups(CASES, GROUPS)
    assert list(by_group.groups) == ["polyp", "adenoma"]
    (polyp,) = by_group.groups["polyp"].classes
    assert (polyp.cases, polyp.worst_case) == (2, "b")
    assert polyp.metrics["dsc"].mean == pytest.approx(0.8)
    # The mean of 0.8 and 0.5, and not of the three cases, which is 0.7.
    assert by_group.macro["dsc"] == pytest.approx(0.65)
    # The one adenoma is drawn always, of the polyps now one and now the other.
    assert by_group.macro_ci95["dsc"] == pytest.approx(((0.7 + 0.5) / 2, (0.9 + 0.5) / 2))


@given(found=values)
def test_one_group_of_all_cases_is_the_summary_of_all(found):
    cases = {str(number): [scores(dsc)] for number, (dsc, _) in enumerate(found)}
    whole = summarise(cases)
    by_group = summarise_groups(cases, dict.fromkeys(cases, "all"))
    assert by_group.groups == {"all": whole}
    assert by_group.macro == pytest.approx(whole.macro)
    assert by_group.macro_ci95["dsc"] == pytest.approx(whole.macro_ci95["dsc"])


@given(found=values)
def test_the_mean_of_the_groups_lies_in_its_interval_and_between_them(found):
    cases = {str(number): [scores(dsc)] for number, (dsc, _) in enumerate(found)}
    groups = {str(number): group for number, (_, group) in enumerate(found)}
    by_group = summarise_groups(cases, groups)
    means = [one.macro["dsc"] for one in by_group.groups.values()]
    assert min(means) - 1e-9 <= by_group.macro["dsc"] <= max(means) + 1e-9
    low, high = by_group.macro_ci95["dsc"]
    assert low <= high


def test_cases_without_a_group_are_not_among_them():
    by_group = summarise_groups(CASES, {"a": "polyp"})
    assert [one.classes[0].cases for one in by_group.groups.values()] == [1]


def test_no_case_with_a_group_is_an_error():
    with pytest.raises(ValueError, match="needs a case with a group"):
        summarise_groups(CASES, {})
