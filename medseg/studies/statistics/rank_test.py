"""Wilcoxon signed-rank test over cases, and Holm's correction over rows.

References:
    Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1945.
    https://doi.org/10.2307/3001968
    Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 1979.
    https://www.jstor.org/stable/4615733
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import stats

from medseg.studies.statistics.cells import Cells

__all__ = ["holm", "smallest_p", "wilcoxon"]

# Differences closer than this are ties: sums over seeds differ in their last bits.
_DECIMALS = 12


def wilcoxon(differences: Cells) -> float:
    """Two-sided p-value over cases, each paired within its fold, its seeds averaged.

    Cases without a difference are left out, as Wilcoxon did; 1 if that leaves none.
    """
    means = _case_means(differences)
    means = means[means != 0]
    if not means.size:
        return 1.0
    found = stats.wilcoxon(means)
    return float(found.pvalue)


def smallest_p(cases: int) -> float:
    """Smallest p-value that the test can reach: all cases differ in the same direction."""
    return min(1.0, 2.0 ** (1 - cases))


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrected p-values, each at least its own: below 0.05, the family errs in 5 % at most."""
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected


def _case_means(differences: Cells) -> np.ndarray:
    by_case: dict[tuple[int, str], list[float]] = defaultdict(list)
    for (_, fold, case), value in sorted(differences.items()):
        by_case[fold, case].append(value)
    return np.round([float(np.mean(values)) for values in by_case.values()], _DECIMALS)
