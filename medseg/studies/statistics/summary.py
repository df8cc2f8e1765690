"""Summary of a study: its noise, every row beside the baseline, and the ranking."""

import dataclasses
from collections.abc import Mapping

from medseg.studies.results import BASELINE, RunResult, StudyResults
from medseg.studies.statistics.averages import averages, score_by_class
from medseg.studies.statistics.cells import Cell, Cells, cells_of, differences
from medseg.studies.statistics.comparison import (
    Difference,
    difference_of,
    estimate_of,
    notes_of,
)
from medseg.studies.statistics.direction import sign
from medseg.studies.statistics.mean import smallest_seen
from medseg.studies.statistics.noise import noise_floor, run_noise
from medseg.studies.statistics.rank_test import holm
from medseg.studies.statistics.ranking import rank_rows
from medseg.studies.statistics.verdict import Evidence, finding_of, in_words, reproduction
from medseg.studies.statistics_types import Comparison, Noise, StudySummary

__all__ = ["summarise_study"]


def summarise_study(results: StudyResults, *, seed: int = 0) -> StudySummary:
    """Compute the statistics of a study.

    Args:
        results: All its runs, in any order, those that failed included.
        seed: Of the bootstrap by which the ranking is judged.
    """
    scores = {row: cells_of(results.runs, row, results.score) for row in results.rows}
    baseline = scores.get(BASELINE, {})
    pairs = {row: differences(scores[row], baseline) for row in results.rows if row != BASELINE}
    noise = noise_floor(baseline, _design(pairs) or baseline)
    between = run_noise(baseline)
    compared = {row: difference_of(found, results.score, between) for row, found in pairs.items()}
    evidence = _evidence(compared, noise)
    return StudySummary(
        noise=noise,
        rows=tuple(
            _comparison(results, row, scores, compared.get(row), evidence.get(row))
            for row in results.rows
        ),
        ranking=rank_rows(scores, better=sign(results.score), seed=seed),
    )


def _design(pairs: Mapping[str, Cells]) -> Cells:
    """Cells of the row that has most of them."""
    return max(pairs.values(), key=len, default=dict[Cell, float]())


def _evidence(
    compared: Mapping[str, Difference | None], noise: Noise | None
) -> dict[str, Evidence]:
    found = {row: one for row, one in compared.items() if one is not None}
    of_ranks = holm([one.p_rank for one in found.values()])
    of_means = holm([one.mean.p_value for one in found.values()])
    return {
        row: Evidence(
            difference=one.mean.value,
            ci95=one.ci95,
            p_rank=p_rank,
            p_mean=p_mean,
            cases=one.cases,
            rows=len(found),
            smallest=_smallest(one, noise),
        )
        for (row, one), p_rank, p_mean in zip(found.items(), of_ranks, of_means, strict=True)
    }


def _smallest(one: Difference, noise: Noise | None) -> float | None:
    """What the study would see: by the row's own spread, and not less than by the baseline's."""
    if not one.mean.of:
        return None
    own = smallest_seen(one.mean.error, one.mean.freedom)
    return own if noise is None else max(own, noise.smallest_difference)


def _comparison(
    results: StudyResults,
    row: str,
    scores: Mapping[str, Cells],
    difference: Difference | None,
    evidence: Evidence | None,
) -> Comparison:
    runs = [run for run in results.runs if run.row == row]
    failed = [run for run in runs if run.reason]
    found = averages([run for run in runs if not run.reason])
    alone = Comparison(
        row=row,
        runs=len(runs) - len(failed),
        failed=tuple(run.reason for run in sorted(failed, key=lambda r: (r.seed, r.fold))),
        score=estimate_of(scores[row], results.score),
        difference=None,
        difference_ci95=None,
        p_value=None,
        p_holm=None,
        probability_better=None,
        verdict=_without_difference(row, scores[row], failed),
        classes=score_by_class(found, results.score),
        averages=found,
    )
    if difference is None or evidence is None:
        return alone
    finding = finding_of(evidence, results.score)
    published = results.published.get(row)
    return dataclasses.replace(
        alone,
        difference=difference.mean.value,
        difference_ci95=difference.ci95,
        p_value=difference.p_rank,
        p_holm=evidence.p_rank,
        p_mean=difference.mean.p_value,
        p_mean_holm=evidence.p_mean,
        effect_size=difference.effect_size,
        smallest_difference=evidence.smallest,
        probability_better=difference.probability_better,
        finding=finding,
        verdict=in_words(evidence, finding),
        notes=notes_of(scores[row], scores[BASELINE], runs, difference.mean),
        published=published and reproduction(published[0], evidence, finding, results.score),
    )


def _without_difference(row: str, cells: Cells, failed: list[RunResult]) -> str:
    if row == BASELINE and cells:
        return "the baseline"
    if cells:
        return "not compared: the baseline has no score of the same case, seed and fold"
    return f"no scored run: {failed[0].reason}" if failed else "no scored run"
