"""Variances of runs and cases: both vary, and both are few.

Within each fold, runs (one a seed) cross cases, so a value is modelled as

    value = mean + fold + run + case + rest,

with runs, cases and rests random, and the folds' training sets as they are. The components'
variances follow from sums of squares by their expectations (Henderson's method 1, which holds for
missing cells too), pooled over folds. With nothing missing they are those of the two-way
analysis of variance: the run's is (MS_run - MS_rest) / cases.

Reference:
    Henderson, Estimation of variance and covariance components, Biometrics 1953.
    https://doi.org/10.2307/3001853
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medseg.studies.statistics.cells import Table

__all__ = ["COMPONENTS", "Component", "Forms", "components", "forms_of", "repeated"]

Component = Literal["run", "case", "rest"]
COMPONENTS: tuple[Component, ...] = ("run", "case", "rest")
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Forms:
    """Sums of squares of run, case and rest, and what they are expected to be.

    Attributes:
        squares: `(3,)`, the sums of squares, over all folds.
        expected: `(3, 3)`: expectation of each sum is this times the components' variances.
        freedom: `(3,)`, degrees of freedom.
        in_mean: `(3,)`: the mean's variance is this times the components' variances.
    """

    squares: Floats
    expected: Floats
    freedom: Floats
    in_mean: Floats


def repeated(forms: Forms) -> dict[Component, bool]:
    """Whether any fold has two of a component; if not, its variance cannot be told."""
    return {name: bool(forms.freedom[i] > 0) for i, name in enumerate(COMPONENTS)}


def components(forms: Forms) -> dict[Component, float]:
    """Estimated variance of each component; below zero by chance, zero if never repeated.

    Where cases are not repeated between runs, as with random splits, case and rest cannot be told
    apart; each gets half of their sum.
    """
    held = repeated(forms)
    known = np.array([held["run"], held["case"], True])
    found = np.linalg.lstsq(forms.expected[:, known], forms.squares, rcond=None)[0].tolist()
    return {name: found.pop(0) if known[i] else 0.0 for i, name in enumerate(COMPONENTS)}


def forms_of(table: Table) -> Forms:
    """Sums of squares of a table, within folds.

    If no fold has two cases, folds are cases: they are taken as one fold.
    """
    folds = table.folds
    if table.cases.max() == folds.max():
        folds = np.zeros_like(folds)
    parts = [_fold_forms(*_of_fold(table, folds == fold)) for fold in range(folds.max() + 1)]
    share = [np.count_nonzero(folds == fold) / folds.size for fold in range(folds.max() + 1)]
    return Forms(
        squares=np.sum([part.squares for part in parts], axis=0),
        expected=np.sum([part.expected for part in parts], axis=0),
        freedom=np.sum([part.freedom for part in parts], axis=0),
        in_mean=np.sum([s**2 * p.in_mean for s, p in zip(share, parts, strict=True)], axis=0),
    )


def _of_fold(table: Table, mask: NDArray[np.bool_]) -> tuple[Floats, Whole, Whole]:
    seeds = np.unique(table.seeds[mask], return_inverse=True)[1].reshape(-1)
    cases = np.unique(table.cases[mask], return_inverse=True)[1].reshape(-1)
    return table.values[mask], seeds, cases


def _fold_forms(values: Floats, runs: Whole, cases: Whole) -> Forms:
    """Sums of squares of one fold: of run means, of case means, and of the rest."""
    values = values - values.mean()
    per_run, per_case = np.bincount(runs), np.bincount(cases)
    of_runs = float((np.bincount(runs, values) ** 2 / per_run).sum())
    of_cases = float((np.bincount(cases, values) ** 2 / per_case).sum())
    n, r, c = values.size, per_run.size, per_case.size
    # Values that a value shares its run, or its case, with: on average over the values.
    same_run, same_case = float((per_run**2).sum()) / n, float((per_case**2).sum()) / n
    return Forms(
        squares=np.array([of_runs, of_cases, float((values**2).sum()) - of_runs - of_cases]),
        expected=np.array(
            [
                [n - same_run, r - same_case, r - 1],
                [c - same_run, n - same_case, c - 1],
                [same_run - c, same_case - r, n - r - c + 1],
            ]
        ),
        freedom=np.array([r - 1, c - 1, n - r - c + 1], dtype=np.float64),
        in_mean=np.array([same_run, same_case, 1.0]) / n,
    )
