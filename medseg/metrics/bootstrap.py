"""Bootstrap confidence intervals (percentile method), resampling whole cases.

A case is drawn with all its classes, so the intervals of a class, of the mean over classes and of
pooled scores come from the same resamples.

Reference:
    Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 13.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESAMPLES", "draw_cases", "interval95"]

RESAMPLES = 2000
Floats = NDArray[np.float64]


def draw_cases(cases: int, *, seed: int = 0, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """Bootstrap resamples: draw as many cases as there are, with replacement.

    Args:
        cases: Number of cases.
        seed: The same seed gives the same draws.
        resamples: Number of resamples.

    Returns:
        `(resamples, cases)`: how often each case was drawn; each row sums to `cases`.

    Raises:
        ValueError: If `cases` or `resamples` is below 1.
    """
    if cases < 1 or resamples < 1:
        raise ValueError(f"cases and resamples must be at least 1, got {cases} and {resamples}")
    even = np.full(cases, 1 / cases)
    return np.random.default_rng(seed).multinomial(cases, even, size=resamples)


def interval95(estimates: NDArray[Any]) -> Floats:
    """Percentile interval: the middle 95 % of the resamples' estimates.

    With a single case all resamples are the same: the interval has zero width and no meaning.

    Args:
        estimates: `(resamples, *any)`.

    Returns:
        `(2, *any)`, the lower and the upper end.
    """
    return np.percentile(estimates, [2.5, 97.5], axis=0)
