"""Studies drawn by chance with a known truth, for the simulation of their statistics."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from medseg.studies.statistics.cells import Table

__all__ = [
    "ALIKE",
    "BY_CASE",
    "MODELS",
    "SKEWED",
    "Design",
    "Model",
    "cells",
    "draw",
    "table_of",
    "true_difference",
    "true_mean",
]

Floats = NDArray[np.float64]
# Of the skewed scores: expit of a normal with this mean is a DSC of about 0.85 that reaches 0.3.
_LOGIT = 2.0
# Share of cases whose structure a run misses: they score 0.
_MISSED = 0.02
# Quadrature over a standard normal.
_NODES, _AREAS = np.polynomial.hermite_e.hermegauss(60)
_WEIGHTS = _AREAS / _AREAS.sum()


@dataclass(frozen=True, kw_only=True)
class Model:
    """How scores come about; the standard deviations are those of one row.

    Attributes:
        name: In the tables.
        scale: `normal`, or `skewed`: bounded by 0 and 1, with a tail of poor and missed cases.
        case: Between cases, the same in all rows.
        row_case: Between cases, of what a row changes.
        run: Between runs.
        rest: Between cases, of what a run changes.
        effect: Of the row on the mean, in the normal's units.
    """

    name: str
    scale: Literal["normal", "skewed"] = "normal"
    case: float = 1.0
    row_case: float = 0.0
    run: float = 0.0
    rest: float = 0.3
    effect: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Design:
    """Size of a study: seeds, folds, and cases in each fold."""

    seeds: int
    folds: int
    cases: int


ALIKE = Model(name="rows alike", run=0.1)
BY_CASE = Model(name="rows differ by case", row_case=0.3, run=0.1)
SKEWED = Model(name="skewed", scale="skewed", run=0.1, row_case=0.3)
MODELS = (
    Model(name="rows and runs alike"),
    ALIKE,
    BY_CASE,
    Model(name="rows differ by case, runs much", row_case=0.3, run=0.3),
    SKEWED,
    Model(name="skewed, an effect", scale="skewed", run=0.1, row_case=0.3, effect=0.3),
)


def draw(
    model: Model, design: Design, rows: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Scores of one study, `(rows, folds, seeds, cases)`, and its runs, `(rows, folds, seeds)`.

    The first row is the baseline; the others have the model's effect.
    """
    k, s, c = design.folds, design.seeds, design.cases
    effect = model.effect * (np.arange(rows) > 0)
    runs = effect[:, None, None] + rng.normal(0, model.run, (rows, k, s))
    of_cases = rng.normal(0, model.case, (k, 1, c)) + rng.normal(0, model.row_case, (rows, k, 1, c))
    scores = runs[..., None] + of_cases + rng.normal(0, model.rest, (rows, k, s, c))
    if model.scale == "skewed":
        scores = expit(_LOGIT + scores) * (rng.random(scores.shape) >= _MISSED)
    return scores, runs


def true_difference(model: Model, runs: Floats) -> float:
    """True mean difference of the second row to the baseline.

    With one seed it is that of just these runs, over all cases; else over all runs too.
    """
    if runs.shape[2] == 1:
        means = _mean_of_runs(model, runs).mean(axis=(1, 2))
        return float(means[1] - means[0])
    return _over_runs(model, model.effect) - _over_runs(model, 0.0)


def true_mean(model: Model, runs: Floats) -> float:
    """True mean score of the baseline; with one seed, that of just these runs over all cases."""
    if runs.shape[2] == 1:
        return float(_mean_of_runs(model, runs[0]).mean())
    return _over_runs(model, 0.0)


def cells(scores: Floats) -> dict[tuple[int, int, str], float]:
    """Scores of one row, `(folds, seeds, cases)`, by seed, fold and case."""
    return {(s, k, f"{c:03d}"): float(value) for (k, s, c), value in np.ndenumerate(scores)}


def table_of(scores: Floats) -> Table:
    """The same as arrays, which is faster."""
    folds, seeds, cases = np.indices(scores.shape).reshape(3, -1)
    names = folds * scores.shape[2] + cases
    return Table(values=scores.reshape(-1), folds=folds, seeds=seeds, cases=names)


def _over_runs(model: Model, effect: float) -> float:
    return float(_mean_of_runs(model, effect + model.run * _NODES) @ _WEIGHTS)


def _mean_of_runs(model: Model, runs: Floats) -> Floats:
    """Mean score of runs over all cases."""
    if model.scale == "normal":
        return runs
    spread = np.sqrt(model.case**2 + model.row_case**2 + model.rest**2)
    return (1 - _MISSED) * (expit(_LOGIT + runs[..., None] + spread * _NODES) @ _WEIGHTS)
