"""The mean over runs and cases, and how far it can be trusted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medseg.studies.statistics.cells import table
from medseg.studies.statistics.mean import mean_of
from medseg.studies.statistics.variance import components, forms_of

# Three runs of three cases.
BY_HAND = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0], [4.0, 6.0, 8.0]])


def cells(values):
    """Cells of one fold from `(seeds, cases)`."""
    return {(s, 0, str(c)): float(v) for (s, c), v in np.ndenumerate(np.asarray(values))}


def test_sums_of_squares_are_those_found_by_hand():
    # Minus the mean, 4, the values are (-3 -2 -1), (0 0 0) and (0 2 4): 34 in squares. Run means
    # -2, 0, 2 make 3 * 8 = 24 of it, case means -1, 0, 1 make 3 * 2 = 6; the rest is 4.
    forms = forms_of(table(cells(BY_HAND)))
    assert forms.squares == pytest.approx([24, 6, 4])
    assert forms.freedom.tolist() == [2, 2, 4]


def test_variances_of_run_case_and_rest_are_those_found_by_hand():
    # mean squares 12, 3 and 1: run (12 - 1) / 3, case (3 - 1) / 3
    found = components(forms_of(table(cells(BY_HAND))))
    assert found == pytest.approx({"run": 11 / 3, "case": 2 / 3, "rest": 1.0})


def test_sums_of_squares_are_those_of_statsmodels():
    # statsmodels 0.15: anova_lm(ols("v ~ C(r) + C(c)", data).fit())
    values = [[0.91, 0.80, 0.70, 0.85], [0.89, 0.83, 0.74, 0.80], [0.93, 0.85, 0.71, 0.88]]
    forms = forms_of(table(cells(values)))
    assert forms.squares == pytest.approx([0.002017, 0.057892, 0.004183], abs=1e-6)
    assert forms.freedom.tolist() == [2, 3, 6]


def test_the_interval_adds_the_half_widths_of_runs_and_cases_in_squares():
    # nine cells: (t^2 (12 - 1) + t^2 3) / 9, both with two degrees of freedom; t = 4.3027
    mean = mean_of(cells(BY_HAND))
    half = 4.302653 * math.sqrt((11 + 3) / 9)
    assert mean.value == 4
    assert mean.ci95 == pytest.approx((4 - half, 4 + half), rel=1e-6)
    assert mean.of == ("run", "case")


def test_runs_that_differ_less_than_the_rest_count_as_alike_but_not_for_less_than_cases_alone():
    # run means 2, 2, 2; case means 1, 2, 3; rest 0, so that only cases are left: t^2 3 * 1 / 9
    mean = mean_of(cells([[1, 2, 3], [1, 2, 3], [1, 2, 3]]))
    half = 4.302653 * math.sqrt(3 / 9)
    assert mean.ci95 == pytest.approx((2 - half, 2 + half), rel=1e-6)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=12).filter(lambda v: len(set(v)) > 1))
def test_one_seed_is_students_t_over_cases(values):
    mean = mean_of(cells([values]))
    theirs = stats.ttest_1samp(values, 0)
    low, high = theirs.confidence_interval(0.95)
    assert mean.ci95 == pytest.approx((low, high))
    assert mean.p_value == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-14)
    assert mean.of == ("case",)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=12).filter(lambda v: len(set(v)) > 1))
def test_one_case_is_students_t_over_runs(values):
    mean = mean_of(cells([[v] for v in values]))
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean.ci95 == pytest.approx((low, high))
    assert mean.of == ("run",)


def test_folds_of_one_case_each_are_taken_as_cases():
    leave_one_out = {(0, fold, "only"): value for fold, value in enumerate([1.0, 2.0, 6.0])}
    low, high = stats.ttest_1samp([1, 2, 6], 0).confidence_interval(0.95)
    assert mean_of(leave_one_out).ci95 == pytest.approx((low, high))


def test_folds_that_differ_do_not_widen_the_interval():
    # the same cases twice, the second fold 10 higher: only differences within folds count
    low, high = (
        {(0, f, str(c)): v + 10 * f * shift for f in range(2) for c, v in enumerate([1, 2, 4])}
        for shift in (0.0, 1.0)
    )
    width = np.ptp(mean_of(low).ci95)
    assert np.ptp(mean_of(high).ci95) == pytest.approx(width)


def test_splits_drawn_anew_for_each_seed_are_runs_with_cases_of_their_own():
    # Two runs of two cases, no case in both. Runs: 2 * (1 + 1) = 4 with 1 degree of freedom;
    # within runs (4 values 1 from their mean): 4 with 2. The variance of a run's own is
    # (4 - 4 / 2) / 2 = 1, that within 2; of the mean: 1 / 2 + 2 / 4 = 1.
    values = {(0, 0, "a"): 1.0, (0, 0, "b"): 3.0, (1, 0, "c"): 3.0, (1, 0, "d"): 5.0}
    found = components(forms_of(table(values)))
    assert found["run"] == pytest.approx(1)
    assert found["case"] + found["rest"] == pytest.approx(2)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 4), st.integers(-9, 9)),
        min_size=1,
        max_size=25,
    )
)
def test_whatever_is_missing_the_p_value_is_the_level_at_which_the_interval_touches_zero(found):
    mean = mean_of({(s, f, str(c)): float(v) for s, f, c, v in found})
    if mean.ci95 is None:
        assert mean.p_value == 1
        return
    assert all(map(math.isfinite, mean.ci95))
    low, high = mean.ci95
    assert low <= mean.value <= high
    if abs(mean.p_value - 0.05) > 1e-6:
        assert (mean.p_value < 0.05) == (not low <= 0 <= high)


def test_a_single_value_has_no_interval():
    mean = mean_of({(0, 0, "a"): 0.8})
    assert (mean.value, mean.ci95, mean.p_value) == (0.8, None, 1.0)


def test_a_difference_that_never_varies_is_certain():
    mean = mean_of(cells([[0.5, 0.5], [0.5, 0.5]]))
    assert mean.ci95 == (0.5, 0.5)
    assert mean.p_value < 1e-12
