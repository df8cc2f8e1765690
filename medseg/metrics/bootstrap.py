"""How sure a mean over few cases is: percentile bootstrap over cases, with a seed.

Whole cases are drawn, with all their classes, so that what belongs together stays together: the
intervals of a class, of the mean over classes and of pooled scores come from the same draws.

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
    """Draw as many cases as there are, with replacement, many times.

    Args:
        cases: How many there are.
        seed: The same seed gives the same draws.
        resamples: How often.

    Returns:
        `(resamples, cases)`: how often each case was drawn; a row sums up to `cases`.

    Raises:
        ValueError: If there is no case, or nothing is to be drawn.
    """
    if cases < 1 or resamples < 1:
        raise ValueError(f"cases and resamples must be at least 1, got {cases} and {resamples}")
    even = np.full(cases, 1 / cases)
    return np.random.default_rng(seed).multinomial(cases, even, size=resamples)


def interval95(estimates: NDArray[Any]) -> Floats:
    """The middle 95 % of the resamples' estimates.

    Of one case every draw is the same: the interval has no width, and says nothing.

    Args:
        estimates: `(resamples, *any)`.

    Returns:
        `(2, *any)`, the lower and the upper end.
    """
    return np.percentile(estimates, [2.5, 97.5], axis=0)
