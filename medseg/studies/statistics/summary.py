"""Summary of a study: its noise, every row beside the baseline, and the ranking."""

import dataclasses

from medseg.studies.results import BASELINE, RunResult, StudyResults
from medseg.studies.statistics.averages import averages, score_by_class
from medseg.studies.statistics.cells import Cells, cells_of, differences
from medseg.studies.statistics.comparison import Difference, estimate_of, notes_of
from medseg.studies.statistics.direction import sign
from medseg.studies.statistics.evidence import weigh
from medseg.studies.statistics.noise import noise_floor
from medseg.studies.statistics.ranking import rank_rows
from medseg.studies.statistics.verdict import Evidence, finding_of, in_words, reproduction
from medseg.studies.statistics_types import Comparison, StudySummary

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
    noise = noise_floor(baseline, max(pairs.values(), key=len) if pairs else baseline)
    weighed = weigh(pairs, baseline, noise, results.score)
    rows: list[Comparison] = []
    for row in results.rows:
        alone = _alone(results, row, scores[row])
        if row in weighed:
            notes = notes_of(scores[row], baseline, _runs(results, row), weighed[row][0].mean)
            alone = dataclasses.replace(alone, notes=notes)
            alone = _compared(alone, *weighed[row], results)
        rows.append(alone)
    ranking = rank_rows(scores, better=sign(results.score), seed=seed)
    return StudySummary(noise=noise, rows=tuple(rows), ranking=ranking)


def _runs(results: StudyResults, row: str) -> list[RunResult]:
    return sorted((r for r in results.runs if r.row == row), key=lambda r: (r.seed, r.fold))


def _alone(results: StudyResults, row: str, cells: Cells) -> Comparison:
    """What can be said of a row without the baseline."""
    runs = _runs(results, row)
    failed = tuple(run.reason for run in runs if run.reason)
    found = averages([run for run in runs if not run.reason])
    return Comparison(
        row=row,
        runs=len(runs) - len(failed),
        failed=failed,
        score=estimate_of(cells, results.score),
        difference=None,
        difference_ci95=None,
        p_value=None,
        p_holm=None,
        probability_better=None,
        verdict=_verdict_alone(row, cells, failed),
        classes=score_by_class(found, results.score),
        averages=found,
    )


def _verdict_alone(row: str, cells: Cells, failed: tuple[str, ...]) -> str:
    if row == BASELINE and cells:
        return "the baseline"
    if cells:
        return "not compared: the baseline has no score of the same case, seed and fold"
    return f"no scored run: {failed[0]}" if failed else "no scored run"


def _compared(
    alone: Comparison, difference: Difference, evidence: Evidence, results: StudyResults
) -> Comparison:
    """The same row beside the baseline."""
    finding = finding_of(evidence, results.score)
    effect = results.published.get(alone.row, ("", ""))[0]
    return dataclasses.replace(
        alone,
        difference=difference.mean.value,
        difference_ci95=difference.mean.ci95,
        p_value=difference.p_rank,
        p_holm=evidence.p_rank,
        p_mean=difference.mean.p_value,
        p_mean_holm=evidence.p_mean,
        effect_size=difference.effect_size,
        smallest_difference=evidence.smallest,
        probability_better=difference.probability_better,
        finding=finding,
        verdict=in_words(evidence, finding),
        published=reproduction(effect, evidence, finding, results.score) if effect else None,
    )
