"""Comparison of a row with the baseline: paired, over seeds, folds and cases."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medseg.studies.results import RunResult
from medseg.studies.statistics.cells import Cells, table
from medseg.studies.statistics.direction import bounds, sign
from medseg.studies.statistics.mean import Mean, Part, mean_of
from medseg.studies.statistics.noise import RunNoise, with_run_noise
from medseg.studies.statistics.rank_test import wilcoxon
from medseg.studies.statistics.variance import components, forms_of
from medseg.studies.statistics_types import Estimate

__all__ = ["Difference", "difference_of", "estimate_of", "notes_of"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Paired difference of one row to the baseline.

    Attributes:
        mean: With its error.
        p_rank: Wilcoxon's test over cases.
        cases: Number of cases.
        effect_size: See `Comparison`.
        probability_better: See `Comparison`.
    """

    mean: Mean
    p_rank: float
    cases: int
    effect_size: float | None
    probability_better: float | None


def estimate_of(cells: Cells, score: str) -> Estimate | None:
    """Mean score of a row; None without any. The interval ends where the metric does."""
    if not cells:
        return None
    mean = mean_of(cells)
    by_run: dict[tuple[int, int], list[float]] = defaultdict(list)
    for (seed, fold, _), value in sorted(cells.items()):
        by_run[seed, fold].append(value)
    of_runs = [float(np.mean(values)) for values in by_run.values()]
    low, high = bounds(score)
    return Estimate(
        mean=mean.value,
        sd=float(np.std(of_runs, ddof=1)) if len(of_runs) > 1 else None,
        ci95=mean.ci95 and (max(low, mean.ci95[0]), min(high, mean.ci95[1])),
    )


def difference_of(cells: Cells, score: str, noise: RunNoise | None) -> Difference:
    """Compare a row.

    Args:
        cells: Paired differences to the baseline, at least one.
        score: The metric.
        noise: Between the baseline's seeds, which stands in for the row's if it has one seed.
    """
    mean = with_run_noise(mean_of(cells), cells, noise)
    by_case: dict[tuple[int, str], list[float]] = defaultdict(list)
    for (_, fold, case), value in sorted(cells.items()):
        by_case[fold, case].append(value)
    of_cases = [float(np.mean(values)) for values in by_case.values()]
    spread = float(np.std(of_cases, ddof=1)) if len(of_cases) > 1 else 0.0
    return Difference(
        mean=mean,
        p_rank=wilcoxon(cells),
        cases=len(of_cases),
        effect_size=mean.value / spread if spread > 0 else None,
        probability_better=_probability_better(mean, cells, score, noise),
    )


def notes_of(row: Cells, baseline: Cells, runs: Sequence[RunResult], mean: Mean) -> tuple[str, ...]:
    """What the comparison leaves out.

    Args:
        row: Scores of the row.
        baseline: Scores of the baseline.
        runs: Of the row.
        mean: Its difference to the baseline.
    """
    scored = [run for run in runs if not run.reason]
    cases = {(run.seed, run.fold, one.case) for run in scored for one in run.cases}
    seeds = {seed for seed, _, _ in row.keys() & baseline.keys()}
    found = (
        (len(cases) - len(row), "without a score: not a number in some class"),
        (len(row.keys() - baseline.keys()), "without a pair: the baseline lacks that run or case"),
        (
            sum(1 for cell in baseline.keys() - row.keys() if cell[0] in seeds),
            "of the baseline without a pair: the row lacks that run or case",
        ),
    )
    notes = [f"{count} {_cells(count)} {what}" for count, what in found if count > 0]
    return (*notes, *_basis_notes(mean, len(seeds)))


def _basis_notes(mean: Mean, seeds: int) -> tuple[str, ...]:
    if seeds == 1 and "run" in mean.of:
        return ("one seed: the noise between seeds is the baseline's",)
    if "run" not in mean.of:
        return ("one seed: the interval is for other cases, not for other seeds",)
    if "case" not in mean.of:
        return ("one case: the interval is for other seeds, not for other cases",)
    return ()


def _cells(count: int) -> str:
    return "score" if count == 1 else "scores"


def _probability_better(
    mean: Mean, cells: Cells, score: str, noise: RunNoise | None
) -> float | None:
    """That the mean difference of a new pair of runs, over as many cases, is for the row.

    The interval of such a difference has the variance between runs as a part more.
    """
    forms = forms_of(table(cells))
    cases_a_run = len(cells) / len({cell[:2] for cell in cells})
    if forms.freedom[0] > 0:
        found = components(forms)
        between = max(found["run"], 0.0) + max(found["rest"], 0.0) / cases_a_run
        freedom = float(forms.freedom[0])
    elif noise is not None:
        between, freedom = 2 * (noise.run + noise.rest / cases_a_run), noise.freedom
    else:
        return None
    tail = mean.plus(Part(variance=between, freedom=freedom)).p_value / 2
    return 1 - tail if sign(score) * mean.value > 0 else tail
