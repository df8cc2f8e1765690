"""Cells of a study: one score for each row, seed, fold and case.

Absent structures have a defined score (docs/decisions/0008) and count like any other. A case with
a class whose score is missing or not a number has no score; it is left out of the pair, and the
comparison says so.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.studies.results import CaseScore, RunResult

__all__ = [
    "WHOLE_CASE",
    "Cell",
    "Cells",
    "Table",
    "case_scores",
    "cells_of",
    "differences",
    "table",
]

# Class name of scores that belong to a case as a whole.
WHOLE_CASE = "all"
# Seed, fold and case.
Cell = tuple[int, int, str]
Cells = Mapping[Cell, float]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Values of cells, and for each the fold, run and case that it belongs to.

    Attributes:
        values: `(cells,)`.
        folds: `(cells,)`, fold by number from 0.
        seeds: `(cells,)`, seed by number from 0.
        cases: `(cells,)`, case within its fold by number from 0; the same name in two folds is
            two cases.
    """

    values: NDArray[np.float64]
    folds: NDArray[np.int64]
    seeds: NDArray[np.int64]
    cases: NDArray[np.int64]


def cells_of(runs: Iterable[RunResult], row: str, score: str) -> dict[Cell, float]:
    """Scores of a row, by seed, fold and case; failed runs and cases without a score are left out.

    Args:
        runs: Of the study, in any order.
        row: Name of the row.
        score: The metric. Of several classes, the mean over the foreground classes is taken.
    """
    found = {
        (run.seed, run.fold, case): value
        for run in runs
        if run.row == row and not run.reason
        for case, value in case_scores(run.cases, score).items()
        if math.isfinite(value)
    }
    # Sums differ in their last bits by their order, and runs end in any.
    return dict(sorted(found.items()))


def case_scores(scores: Sequence[CaseScore], metric: str) -> dict[str, float]:
    """Mean over the classes of each case; NaN where a class has no number.

    Scores of the case as a whole are used only where no class has the metric.
    """
    by_case: dict[str, dict[str, float]] = {}
    for one in scores:
        by_case.setdefault(one.case, {})[one.class_name] = one.values.get(metric, math.nan)
    return {case: _mean_over_classes(values) for case, values in by_case.items()}


def differences(row: Cells, baseline: Cells) -> dict[Cell, float]:
    """Paired differences, row - baseline, in the cells that both have."""
    return {cell: row[cell] - baseline[cell] for cell in sorted(row.keys() & baseline.keys())}


def table(cells: Cells) -> Table:
    """Cells as arrays, sorted, so that no result depends on the order of runs."""
    order = sorted(cells)
    return Table(
        values=np.array([cells[cell] for cell in order], dtype=np.float64),
        folds=_numbered([fold for _, fold, _ in order]),
        seeds=_numbered([seed for seed, _, _ in order]),
        cases=_numbered([(fold, case) for _, fold, case in order]),
    )


def _numbered(keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """Each key's number, in the order in which keys come first."""
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return np.array([number[key] for key in keys], dtype=np.int64)


def _mean_over_classes(values: Mapping[str, float]) -> float:
    classes = [value for name, value in values.items() if name != WHOLE_CASE]
    if all(math.isnan(value) for value in classes):
        return values.get(WHOLE_CASE, math.nan)
    return math.fsum(classes) / len(classes)
