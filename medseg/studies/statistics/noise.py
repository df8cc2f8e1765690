"""Noise floor of a study: what repetitions of its baseline differ by, and what it can see."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from medseg.studies.statistics.cells import Cells, table
from medseg.studies.statistics.mean import Mean, Part, expected_error
from medseg.studies.statistics.variance import (
    Component,
    components,
    forms_of,
)
from medseg.studies.statistics_types import Noise

__all__ = ["RunNoise", "noise_floor", "run_noise", "with_run_noise"]


@dataclass(frozen=True, kw_only=True)
class RunNoise:
    """Variances of the baseline's runs.

    Attributes:
        run: Variance between runs of a fold, whatever the cases.
        rest: Variance of a case's score between runs, beyond that.
        freedom: Degrees of freedom of the first.
    """

    run: float
    rest: float
    freedom: float


def run_noise(baseline: Cells) -> RunNoise | None:
    """Noise between the seeds of the baseline; None with one seed."""
    if not baseline:
        return None
    forms = forms_of(table(baseline))
    if forms.freedom[0] <= 0:
        return None
    found = components(forms)
    return RunNoise(
        run=max(found["run"], 0.0), rest=max(found["rest"], 0.0), freedom=float(forms.freedom[0])
    )


def noise_floor(baseline: Cells, design: Cells) -> Noise | None:
    """Noise of the baseline; None if it has fewer than two seeds.

    Args:
        baseline: Its scores.
        design: Cells of a row that is compared, whatever their values; by default its own.
    """
    noise = run_noise(baseline)
    if noise is None:
        return None
    design = design or baseline
    of_seeds = _seed_means(baseline)
    # The difference of two runs has twice the variance of one.
    twice: dict[Component, float] = {"run": 2 * noise.run, "case": 0.0, "rest": 2 * noise.rest}
    error = with_run_noise(expected_error(table(design), twice), design, noise)
    return Noise(
        seeds=len(of_seeds),
        mean=float(np.mean(list(baseline.values()))),
        sd=float(np.std(of_seeds, ddof=1)),
        smallest_difference=error.smallest_seen,
    )


def with_run_noise(mean: Mean, cells: Cells, noise: RunNoise | None) -> Mean:
    """Mean difference of rows with one seed, with the noise between the baseline's seeds added.

    As it is if it accounts for runs already, or the baseline has but one seed too.
    """
    if "run" in mean.of or not mean.of or noise is None:
        return mean
    share = float(forms_of(table(cells)).in_mean[0])
    more = mean.plus(Part(variance=2 * noise.run * share, freedom=noise.freedom))
    return replace(more, of=("run", *mean.of))


def _seed_means(cells: Cells) -> list[float]:
    """Mean of each seed, beyond the mean of the fold: a seed may lack a fold that is hard."""
    by_fold: dict[int, list[float]] = defaultdict(list)
    for (_, fold, _), value in cells.items():
        by_fold[fold].append(value)
    of_fold = {fold: float(np.mean(values)) for fold, values in by_fold.items()}
    by_seed: dict[int, list[float]] = defaultdict(list)
    for (seed, fold, _), value in sorted(cells.items()):
        by_seed[seed].append(value - of_fold[fold])
    return [float(np.mean(values)) for values in by_seed.values()]
