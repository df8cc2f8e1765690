"""Wilcoxon's test over cases and Holm's correction over rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medseg.studies.statistics.rank_test import holm, smallest_p, wilcoxon


def test_six_cases_that_all_rise_have_two_of_sixty_four_outcomes():
    # all ranks on one side: 1 of 2^6 ways, two-sided 2 / 64
    differences = {(0, 0, str(c)): 0.01 * (c + 1) for c in range(6)}
    assert wilcoxon(differences) == 2 / 64 == smallest_p(6)


def test_seeds_are_averaged_for_each_case_before_ranking():
    # The means over both seeds are +1, -2 and +3.
    differences = {(0, 0, "a"): 3.0, (1, 0, "a"): -1.0, (0, 0, "b"): -2.0, (1, 0, "b"): -2.0}
    differences |= {(0, 0, "c"): 1.0, (1, 0, "c"): 5.0}
    assert wilcoxon(differences) == stats.wilcoxon([1, -2, 3]).pvalue


def test_a_name_in_two_folds_is_two_cases():
    differences = {(0, fold, "a"): 1.0 + fold for fold in range(3)}
    assert wilcoxon(differences) == stats.wilcoxon([1, 2, 3]).pvalue == 0.25


@settings(max_examples=20)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=8).filter(any))
def test_scipy_finds_the_same_p_value(values):
    differences = {(0, 0, f"{i:02d}"): float(v) for i, v in enumerate(values)}
    theirs = stats.wilcoxon([v for v in values if v]).pvalue
    assert wilcoxon(differences) == pytest.approx(theirs)


def test_no_difference_in_any_case_is_no_evidence():
    assert wilcoxon({(0, 0, "a"): 0.0, (0, 0, "b"): 0.0}) == 1


def test_differences_by_rounding_alone_are_none():
    assert wilcoxon({(0, 0, c): 1e-17 for c in "abcdefgh"}) == 1


def test_holm_multiplies_the_smallest_by_all_the_next_by_one_less():
    # sorted 0.01 * 4, 0.02 * 3, 0.03 * 2 = 0.06 too, 0.5 * 1
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])


def test_holm_gives_the_values_of_statsmodels():
    # statsmodels 0.15: multipletests(p, method="holm")[1]
    p_values = [0.001, 0.2, 0.04, 0.0125, 0.9, 0.011]
    assert holm(p_values) == pytest.approx([0.006, 0.4, 0.12, 0.055, 0.9, 0.055])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_makes_a_value_smaller(p_values):
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert [corrected[i] for i in order] == sorted(corrected)
