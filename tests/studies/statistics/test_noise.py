"""The noise floor: what repetitions of the baseline differ by."""

import statistics

import pytest
from scipy import stats

from medseg.studies.statistics import summarise_study
from tests.studies.statistics.studies import grid, one_run, study


def test_the_sd_between_seeds_is_that_of_their_means():
    # means of the three seeds: 0.70, 0.80, 0.75
    runs = grid([[[0.6, 0.8], [0.7, 0.9], [0.75, 0.75]]])
    noise = summarise_study(study({"baseline": runs})).noise
    assert noise.seeds == 3
    assert noise.mean == pytest.approx(0.75)
    assert noise.sd == pytest.approx(statistics.stdev([0.70, 0.80, 0.75])) == pytest.approx(0.05)


def test_with_one_seed_there_is_no_noise_to_tell():
    assert summarise_study(study({"baseline": one_run(0.7, 0.8)})).noise is None


def test_with_one_case_the_smallest_difference_is_that_of_the_t_test():
    # Runs 0.7, 0.8, 0.9: variance 0.01, of a difference of two runs 0.02, of the mean of three
    # such 0.02 / 3; with 2 degrees of freedom.
    runs = {(seed, 0): {"a": value} for seed, value in enumerate([0.7, 0.8, 0.9])}
    noise = summarise_study(study({"baseline": runs})).noise
    quantiles = stats.t.ppf(0.975, 2) + stats.t.ppf(0.8, 2)
    assert noise.smallest_difference == pytest.approx(quantiles * (0.02 / 3) ** 0.5)


def test_more_cases_let_a_study_see_less_where_runs_differ_by_case():
    few = [[0.70, 0.80, 0.90], [0.74, 0.78, 0.88], [0.69, 0.83, 0.90]]
    many = [seed * 4 for seed in few]
    by_few, by_many = (
        summarise_study(study({"baseline": grid([one])})).noise.smallest_difference
        for one in (few, many)
    )
    assert by_many < by_few


def test_a_seed_that_lacks_a_fold_adds_no_noise_by_it():
    # The second fold is harder by 0.4 for both seeds that have it.
    whole = grid([[[0.8, 0.9], [0.8, 0.9], [0.8, 0.9]], [[0.4, 0.5], [0.4, 0.5], [0.4, 0.5]]])
    lacking = {key: cases for key, cases in whole.items() if key != (2, 1)}
    assert summarise_study(study({"baseline": lacking})).noise.sd == pytest.approx(0, abs=1e-12)


def test_noise_of_more_seeds_stands_in_where_rows_have_one():
    baseline = grid(
        [[[0.70, 0.80, 0.90, 0.60], [0.72, 0.84, 0.92, 0.64], [0.66, 0.78, 0.85, 0.57]]]
    )
    row = {(0, 0): {name: value + 0.01 for name, value in baseline[0, 0].items()}}
    row[0, 0] = {**row[0, 0], "case00": baseline[0, 0]["case00"] + 0.012}
    alone = {(0, 0): baseline[0, 0]}
    known = summarise_study(study({"baseline": baseline, "row": row})).rows[1]
    unknown = summarise_study(study({"baseline": alone, "row": row})).rows[1]
    assert "the noise between seeds is the baseline's" in known.notes[-1]
    assert "not for other seeds" in unknown.notes[-1]
    assert unknown.difference == known.difference
    (low, high), (lower, higher) = unknown.difference_ci95, known.difference_ci95
    assert lower < 0 < low
    assert high < higher
    assert unknown.finding == known.finding == "no evidence"
