"""Agreement of volumes: intraclass correlation, and bias with its spread.

References:
    Shrout and Fleiss, Intraclass correlations, Psychol. Bull. 1979.
    https://doi.org/10.1037/0033-2909.86.2.420
    Bland and Altman, Statistical methods for assessing agreement, Lancet 1986.
    https://doi.org/10.1016/S0140-6736(86)90837-8
"""

from dataclasses import dataclass

import numpy as np

from medseg.metrics.bootstrap import RESAMPLES, interval95
from medseg.studies.baselines.brightness import Floats

__all__ = ["Agreement", "agreement", "icc_2_1"]

# A resample of fewer different cases has hardly any variance between them.
_LEAST_CASES = 3


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of two measurements of the same cases.

    Attributes:
        cases: Their number.
        icc: ICC(2,1), see `icc_2_1`.
        icc_ci95: Its bootstrap interval over cases.
        bias: Mean of the first less the second.
        bias_sd: Standard deviation of that difference.
    """

    cases: int
    icc: float
    icc_ci95: tuple[float, float]
    bias: float
    bias_sd: float


def icc_2_1(ratings: Floats) -> float:
    """ICC(2,1): absolute agreement of single ratings, two-way random effects.

    Args:
        ratings: `(cases, raters)`, at least 2 of each.

    Returns:
        At most 1; 0 if no rating differs from another.
    """
    cases, raters = ratings.shape
    mean, by_case, by_rater = ratings.mean(), ratings.mean(axis=1), ratings.mean(axis=0)
    between_cases = raters * ((by_case - mean) ** 2).sum() / (cases - 1)
    between_raters = cases * ((by_rater - mean) ** 2).sum() / (raters - 1)
    rest = ratings - by_case[:, None] - by_rater + mean
    error = (rest**2).sum() / ((cases - 1) * (raters - 1))
    whole = between_cases + (raters - 1) * error + raters * (between_raters - error) / cases
    return float((between_cases - error) / whole) if whole else 0.0


def agreement(measured: Floats, reference: Floats, *, seed: int = 0) -> Agreement | None:
    """Agreement of measurements with a reference.

    Args:
        measured: `(cases,)`.
        reference: `(cases,)`, in the same unit.
        seed: Of the bootstrap.

    Returns:
        None with fewer than three cases.
    """
    cases = len(measured)
    if cases < _LEAST_CASES:
        return None
    ratings = np.stack([measured, reference], axis=1)
    drawn = np.random.default_rng(seed).integers(cases, size=(RESAMPLES, cases))
    kept = [draw for draw in drawn if len(np.unique(draw)) >= _LEAST_CASES]
    low, high = interval95(np.array([icc_2_1(ratings[draw]) for draw in kept])).tolist()
    difference = measured - reference
    return Agreement(
        cases=cases,
        icc=icc_2_1(ratings),
        icc_ci95=(low, high),
        bias=float(difference.mean()),
        bias_sd=float(difference.std(ddof=1)),
    )
