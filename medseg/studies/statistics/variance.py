"""Variance of a mean over runs and cases: both vary, and both are few.

Within each fold, runs (one a seed) cross cases, so a value is modelled as

    value = mean + fold + run + case + rest,

with the runs, cases and rests random and the folds' training sets as they are. The components'
variances follow from sums of squares by their expectations (Henderson's method 1, which holds for
missing cells too), pooled over folds. With nothing missing the variance of the mean is that of
the two-way random effects, (MS_run + MS_case - MS_rest) / cells, and its degrees of freedom are
Satterthwaite's.

References:
    Henderson, Estimation of variance and covariance components, Biometrics 1953.
    https://doi.org/10.2307/3001853
    Satterthwaite, An approximate distribution of estimates of variance components, Biometrics
    Bulletin 1946. https://doi.org/10.2307/3002019
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medseg.studies.statistics.cells import Table

__all__ = [
    "Component",
    "Forms",
    "Variance",
    "components",
    "expected_variance",
    "forms_of",
    "variance_of_mean",
]

Component = Literal["run", "case", "rest"]
CROSSED: tuple[Component, ...] = ("run", "case")
COMPONENTS: tuple[Component, ...] = (*CROSSED, "rest")
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


@dataclass(frozen=True, kw_only=True)
class Variance:
    """Variance of a mean.

    Attributes:
        value: The variance.
        freedom: Its degrees of freedom.
        of: The components that could be told from the data: both need at least two.
    """

    value: float
    freedom: float
    of: tuple[Component, ...]


def variance_of_mean(table: Table) -> Variance | None:
    """Variance of the mean over all cells; None if nothing is repeated, such as for one cell.

    A component whose estimate is below zero is taken as zero. One that is never repeated is left
    out: with one seed, the variance is that over cases, for just these runs.
    """
    forms = forms_of(table)
    of = _repeated(forms)
    if not of:
        return None
    found = components(forms)
    return _satterthwaite(forms, of, tuple(name for name in of if found[name] > 0))


def expected_variance(design: Table, variances: Mapping[Component, float]) -> Variance:
    """Variance of the mean over the cells of a design, if the components' variances are known.

    Its degrees of freedom are those that an estimate from such cells would have. What is never
    repeated in the design adds to the variance all the same.
    """
    forms = forms_of(design)
    known = np.array([variances[name] for name in COMPONENTS])
    expected = replace(forms, squares=forms.expected @ known)
    of = _repeated(forms)
    kept: tuple[Component, ...] = tuple(name for name in of if variances[name] > 0)
    freedom = _satterthwaite(expected, of, kept).freedom
    return Variance(value=float(forms.in_mean @ known), freedom=freedom, of=of)


def _satterthwaite(
    forms: Forms, of: tuple[Component, ...], kept: tuple[Component, ...]
) -> Variance:
    """Variance of the mean by the components kept, with Satterthwaite's degrees of freedom."""
    merged = _merge(forms, kept)
    shares = np.linalg.lstsq(merged.expected.T, merged.in_mean, rcond=None)[0] * merged.squares
    value = max(float(shares.sum()), 0.0)
    held = merged.freedom > 0
    spread = float((shares[held] ** 2 / merged.freedom[held]).sum())
    freedom = value**2 / spread if spread > 0 else float(merged.freedom.sum())
    return Variance(value=value, freedom=max(freedom, 1.0), of=of)


def components(forms: Forms) -> dict[Component, float]:
    """Estimated variance of each component; below zero by chance, zero if never repeated."""
    of = _repeated(forms)
    merged = _merge(forms, of)
    found = np.linalg.lstsq(merged.expected, merged.squares, rcond=None)[0]
    return {"run": 0.0, "case": 0.0, **dict(zip((*of, "rest"), found.tolist(), strict=True))}


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


def _repeated(forms: Forms) -> tuple[Component, ...]:
    """Those of run and case of which there are two in some fold."""
    return tuple(name for name, held in zip(CROSSED, forms.freedom[:2] > 0, strict=True) if held)


def _merge(forms: Forms, kept: tuple[Component, ...]) -> Forms:
    """Forms of the components kept; the others' sums of squares go to the rest."""
    gather = np.array([[name == one for one in COMPONENTS] for name in kept], dtype=np.float64)
    gather = gather.reshape(len(kept), 3)
    rows = np.vstack([gather, 1 - gather.sum(axis=0)])
    columns = np.vstack([gather, [0.0, 0.0, 1.0]])
    return Forms(
        squares=rows @ forms.squares,
        expected=rows @ forms.expected @ columns.T,
        freedom=rows @ forms.freedom,
        in_mean=columns @ forms.in_mean,
    )
