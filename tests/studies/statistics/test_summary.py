"""The summary of a study, from its runs to its verdicts."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medseg.studies.results import StudyResults
from medseg.studies.statistics import summarise_study
from tests.studies.statistics.studies import case, grid, grids, one_run, run, study


def row_of(results, name="row"):
    return next(one for one in summarise_study(results).rows if one.row == name)


def test_one_run_beside_another_is_the_paired_t_test_and_wilcoxons_test():
    before, after = [0.70, 0.80, 0.60, 0.90, 0.75], [0.74, 0.85, 0.66, 0.91, 0.77]
    found = row_of(study({"baseline": one_run(*before), "row": one_run(*after)}))
    theirs = stats.ttest_rel(after, before)
    assert found.difference == pytest.approx(0.036)
    assert found.difference_ci95 == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.p_mean == pytest.approx(theirs.pvalue)
    assert found.p_value == pytest.approx(stats.wilcoxon(after, before).pvalue)
    spread = statistics.stdev([0.04, 0.05, 0.06, 0.01, 0.02])
    assert found.effect_size == pytest.approx(0.036 / spread)


def test_the_baseline_has_a_score_and_nothing_to_be_compared_with():
    results = study({"baseline": grid([[[0.6, 0.8], [0.7, 0.9]]]), "row": one_run(0.5, 0.5)})
    found = summarise_study(results).rows[0]
    assert found.verdict == "the baseline"
    assert found.score.mean == pytest.approx(0.75)
    # run means 0.7 and 0.8
    assert found.score.sd == pytest.approx(statistics.stdev([0.7, 0.8]))
    assert (found.difference, found.p_value, found.p_holm, found.finding) == (None,) * 4


def test_the_interval_of_a_score_ends_where_the_score_ends():
    low, high = summarise_study(study({"baseline": one_run(0.99, 0.6)})).rows[0].score.ci95
    assert (low, high) == (0.0, 1.0)


def test_one_case_in_one_run_gives_a_score_without_interval_or_spread():
    found = row_of(study({"baseline": one_run(0.7), "row": one_run(0.8)}))
    assert (found.score.mean, found.score.sd, found.score.ci95) == (0.8, None, None)
    assert found.difference == pytest.approx(0.1)
    assert found.difference_ci95 is None
    assert found.verdict == ("no evidence of a difference: one case in one run is no comparison")


def test_of_several_classes_each_case_counts_by_their_mean():
    # The means of the cases are 0.7 and 0.4.
    cases = [
        case("a", 0.9, class_name="x"),
        case("a", 0.5, class_name="y"),
        case("b", 0.7, class_name="x"),
        case("b", 0.1, class_name="y"),
    ]
    results = study({}, more=[run("baseline", 0, 0, cases)])
    found = row_of(results, "baseline")
    assert found.score.mean == pytest.approx((0.7 + 0.4) / 2)
    assert found.classes == pytest.approx({"x": 0.8, "y": 0.3, "macro": 0.55})


def test_a_score_of_objects_is_that_of_the_whole_case():
    runs = [
        run(row, 0, 0, [case("a", 0.9), case("a", class_name="all", seg=seg)])
        for row, seg in (("baseline", 0.5), ("row", 0.6))
    ]
    assert row_of(study({}, score="seg", more=runs)).difference == pytest.approx(0.1)


def test_rows_that_failed_say_why_and_cost_the_others_nothing():
    whole = {"baseline": one_run(0.7, 0.8, 0.9), "row": one_run(0.75, 0.86, 0.97)}
    broken = run("broken", 0, 0, reason="out of memory")
    results = study(whole, more=[broken])
    found = row_of(results, "broken")
    assert (found.runs, found.failed) == (0, ("out of memory",))
    assert found.verdict == "no scored run: out of memory"
    assert (found.score, found.difference, found.p_holm) == (None, None, None)
    assert row_of(results) == row_of(study(whole))
    assert [one.row for one in summarise_study(results).ranking] == ["row", "baseline"]


def test_a_seed_that_failed_leaves_the_pairs_that_both_have():
    rows = {"baseline": grid([[[0.5, 0.6], [0.7, 0.9]]]), "row": grid([[[0.6, 0.8]]])}
    results = study(rows, more=[run("row", 1, 0, reason="not a number in the loss")])
    found = row_of(results)
    # seed 0 alone: (0.1 + 0.2) / 2
    assert found.difference == pytest.approx(0.15)
    assert (found.runs, found.failed) == (1, ("not a number in the loss",))


def test_cases_of_one_side_alone_are_left_out_and_counted():
    rows = {"baseline": one_run(0.5, 0.6, 0.7), "row": {(0, 0): {"a": 0.6, "b": 0.7, "z": 0.1}}}
    found = row_of(study(rows))
    assert found.difference == pytest.approx(0.1)
    assert found.notes[:2] == (
        "1 score without a pair: the baseline lacks that run or case",
        "1 score of the baseline without a pair: the row lacks that run or case",
    )


def test_a_case_whose_score_is_no_number_is_left_out_and_counted():
    rows = {"baseline": one_run(0.5, 0.6), "row": one_run(0.6, math.nan)}
    found = row_of(study(rows))
    assert found.difference == pytest.approx(0.1)
    assert "1 score without a score: not a number in some class" in found.notes


def test_a_row_without_a_pair_is_not_compared():
    rows = {"baseline": one_run(0.5, 0.6), "row": one_run(0.6, 0.7, seed=9)}
    found = row_of(study(rows))
    assert found.verdict.startswith("not compared: the baseline has no score of the same case")
    assert found.score.mean == pytest.approx(0.65)


def test_without_a_scored_baseline_every_row_keeps_its_score():
    results = study({"row": one_run(0.6, 0.7)}, more=[run("baseline", 0, 0, reason="killed")])
    summary = summarise_study(results)
    assert summary.noise is None
    assert row_of(results).difference is None
    assert [one.row for one in summary.ranking] == ["row"]


def test_a_study_without_runs_is_empty():
    empty = StudyResults(title="t", score="dsc", rows=("baseline", "row"), overrides={})
    summary = summarise_study(empty)
    assert summary.ranking == ()
    assert [one.verdict for one in summary.rows] == ["no scored run"] * 2


def test_what_was_published_is_held_against_what_was_found():
    seeds = [[0.70, 0.80, 0.60, 0.90, 0.75, 0.65], [0.71, 0.80, 0.61, 0.89, 0.76, 0.65]]
    better = [[score + 0.1 for score in scores] for scores in seeds[::-1]]
    rows = {"baseline": grid([seeds]), "row": grid([better])}
    for published, expected in (("better", "reproduced"), ("worse", "not reproduced")):
        found = row_of(study(rows, published={"row": (published, "Table 2")}))
        assert found.finding == "better"
        assert found.published == expected
    assert row_of(study(rows)).published is None


def test_holm_counts_every_row_that_is_compared():
    base = one_run(0.70, 0.80, 0.60, 0.90, 0.75, 0.65)
    row = one_run(0.71, 0.83, 0.62, 0.94, 0.80, 0.71)
    alone = row_of(study({"baseline": base, "row": row}))
    among = row_of(study({"baseline": base, "row": row, "other": base, "third": base}))
    assert among.p_value == alone.p_value == alone.p_holm == 2 / 64
    assert among.p_holm == pytest.approx(3 * 2 / 64)


@settings(max_examples=20)
@given(grids(), grids())
def test_swapping_row_and_baseline_turns_the_difference_around(a, b):
    there, back = (
        row_of(study(rows)) for rows in ({"baseline": a, "row": b}, {"baseline": b, "row": a})
    )
    assert there.difference == pytest.approx(-back.difference, abs=1e-12)
    assert there.difference_ci95 == pytest.approx(
        (-back.difference_ci95[1], -back.difference_ci95[0])
    )
    assert there.p_value == pytest.approx(back.p_value)
    assert there.p_mean == pytest.approx(back.p_mean, rel=1e-4, abs=1e-9)
    opposite = {"better": "worse", "worse": "better", "no evidence": "no evidence"}
    assert there.finding == opposite[back.finding]


@settings(max_examples=20)
@given(grids(), st.integers(-30, 30))
def test_adding_the_same_to_every_case_shifts_the_difference_by_it(a, hundredths):
    noisy = grid([[[0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.4, 0.4], [0.0, 0.2, 0.3, 0.3]]] * 2)
    shifted = {
        key: {c: v + hundredths / 100 for c, v in cases.items()} for key, cases in noisy.items()
    }
    first, second = (row_of(study({"baseline": a, "row": row})) for row in (noisy, shifted))
    assert second.difference - first.difference == pytest.approx(hundredths / 100)
    widths = [high - low for low, high in (first.difference_ci95, second.difference_ci95)]
    assert widths[0] == pytest.approx(widths[1], abs=1e-9)


@settings(max_examples=20)
@given(grids(), grids(), st.randoms(use_true_random=False))
def test_the_order_of_runs_and_cases_does_not_matter(a, b, random):
    results = study({"baseline": a, "row": b})
    runs = list(results.runs)
    random.shuffle(runs)
    turned = [run(r.row, r.seed, r.fold, r.cases[::-1]) for r in runs]
    mixed = study({}, more=turned)
    mixed = StudyResults(
        title=results.title, score="dsc", rows=results.rows, overrides={}, runs=mixed.runs
    )
    assert summarise_study(mixed) == summarise_study(results)


@settings(max_examples=20)
@given(grids(), grids())
def test_a_verdict_of_a_difference_has_its_interval_beside_zero_and_both_tests_below_five_per_cent(
    a, b
):
    better = {key: {c: v + 0.2 for c, v in cases.items()} for key, cases in b.items()}
    found = row_of(study({"baseline": a, "row": better}))
    low, high = found.difference_ci95
    if found.finding != "no evidence":
        assert not low <= 0 <= high
        assert max(found.p_holm, found.p_mean_holm) <= 0.05
        assert (found.probability_better > 0.5) == (found.finding == "better")
    assert 0 <= found.probability_better <= 1
