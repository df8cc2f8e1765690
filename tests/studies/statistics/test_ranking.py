"""Ranking of rows, and how stable it is."""

from hypothesis import given, settings

from medseg.studies.statistics.cells import cells_of
from medseg.studies.statistics.ranking import rank_rows
from tests.studies.statistics.studies import grid, grids, one_run, study


def ranking(rows, *, better=1, seed=0):
    results = study(rows)
    cells = {row: cells_of(results.runs, row, "dsc") for row in results.rows}
    return rank_rows(cells, better=better, seed=seed)


def order(ranked):
    return [one.row for one in ranked]


def test_a_row_that_is_best_in_every_case_is_the_first_in_every_resample():
    first, second = ranking({"baseline": one_run(0.5, 0.6, 0.9), "row": one_run(0.6, 0.7, 0.95)})
    assert (first.row, first.rank, first.rank_ci95, first.first_share) == ("row", 1, (1, 1), 1.0)
    assert (second.row, second.rank, second.first_share) == ("baseline", 2, 0.0)


def test_of_two_cases_that_disagree_one_resample_in_four_turns_the_order():
    # Differences +0.3 and -0.1: only the resamples that draw the second case twice, 1 in 4,
    # put the baseline first.
    first, second = ranking({"baseline": one_run(0.5, 0.5), "row": one_run(0.8, 0.4)})
    assert first.row == "row"
    assert abs(second.first_share - 0.25) < 0.05
    assert first.rank_ci95 == (1, 2)


def test_seeds_are_resampled_too():
    # Both cases agree within each run, but the row's second run is worse by more than the first
    # is better.
    rows = {
        "baseline": grid([[[0.5, 0.5], [0.5, 0.5]]]),
        "row": grid([[[0.6, 0.6], [0.3, 0.3]]]),
    }
    first, second = ranking(rows)
    assert first.row == "baseline"
    assert abs(second.first_share - 0.25) < 0.05


def test_less_is_first_where_less_is_better():
    rows = {"baseline": one_run(5.0, 6.0), "row": one_run(4.0, 5.0)}
    assert order(ranking(rows, better=-1)) == ["row", "baseline"]


def test_a_row_without_the_hard_fold_is_not_first_by_that():
    rows = {
        "baseline": grid([[[0.9, 0.8]], [[0.4, 0.3]]]),
        "row": grid([[[0.8, 0.7]]]),
    }
    assert order(ranking(rows)) == ["baseline", "row"]


def test_without_a_baseline_rows_are_ranked_by_their_scores():
    assert order(ranking({"a": one_run(0.5), "b": one_run(0.7)})) == ["b", "a"]


def test_rows_without_a_score_have_no_place():
    assert order(ranking({"baseline": one_run(0.5), "broken": {}})) == ["baseline"]
    assert ranking({}) == ()


@settings(max_examples=20)
@given(grids(), grids(), grids())
def test_places_are_a_permutation_within_their_intervals_and_shares_add_to_one(a, b, c):
    ranked = ranking({"baseline": a, "b": b, "c": c})
    assert [one.rank for one in ranked] == [1, 2, 3]
    assert abs(sum(one.first_share for one in ranked) - 1) < 1e-9
    assert all(1 <= one.rank_ci95[0] <= one.rank_ci95[1] <= 3 for one in ranked)
    assert ranked == ranking({"baseline": a, "b": b, "c": c})
