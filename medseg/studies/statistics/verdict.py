"""Verdict on a row in words, and whether a published finding was reproduced."""

import math
from dataclasses import dataclass

from medseg.studies.statistics.direction import bounds, sign
from medseg.studies.statistics.rank_test import smallest_p
from medseg.studies.statistics.variance import Component
from medseg.studies.statistics_types import Finding, Reproduction

__all__ = ["Evidence", "finding_of", "in_words", "reproduction"]

LEVEL = 0.05
# The smallest difference of a score between 0 and 1 that a published finding is held against.
MATTERS = 0.02
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for or against a difference of one row.

    Attributes:
        difference: Mean, row - baseline.
        ci95: Its interval; None if nothing is repeated.
        of: What the interval accounts for.
        p_rank: Wilcoxon's test over cases, corrected over rows.
        p_mean: t-test of the mean, corrected over rows.
        cases: Number of cases that were compared.
        rows: Number of rows that p-values are corrected over.
        smallest: Difference that the study would see; None if unknown.
    """

    difference: float
    ci95: Interval | None
    of: tuple[Component, ...]
    p_rank: float
    p_mean: float
    cases: int
    rows: int
    smallest: float | None


def finding_of(evidence: Evidence, score: str) -> Finding:
    """Better or worse only if the interval and both corrected tests say so.

    With few cases and many rows the rank test cannot reach 5 % whatever it sees; then it has no
    say. Where nothing is known of the noise between seeds, two runs of the same row would differ
    too: that is no evidence.
    """
    can_tell = smallest_p(evidence.cases) * evidence.rows <= LEVEL
    if (
        evidence.ci95 is None
        or "run" not in evidence.of
        or _holds_zero(evidence.ci95)
        or evidence.p_mean > LEVEL
        or (can_tell and evidence.p_rank > LEVEL)
    ):
        return "no evidence"
    return "better" if evidence.difference * sign(score) > 0 else "worse"


def in_words(evidence: Evidence, finding: Finding) -> str:
    """The verdict, such as `better by 0.012 (0.004 to 0.020)`."""
    if evidence.ci95 is None:
        return "no evidence of a difference: one case in one run is no comparison"
    low, high = evidence.ci95
    digits = _digits(high - low)
    if finding != "no evidence":
        size = sorted((abs(low), abs(high)))
        numbers = f"{size[0]:.{digits}f} to {size[1]:.{digits}f}"
        return f"{finding} by {abs(evidence.difference):.{digits}f} ({numbers})"
    numbers = f"{evidence.difference:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
    if "run" not in evidence.of:
        return f"no evidence of a difference: {numbers} over cases, but one seed has no noise floor"
    why = "" if _holds_zero(evidence.ci95) else " after correction for the number of rows"
    seen = (
        "" if evidence.smallest is None else f"; the study would see {evidence.smallest:.{digits}f}"
    )
    return f"no evidence of a difference{why}: {numbers}{seen}"


def reproduction(published: str, evidence: Evidence, finding: Finding, score: str) -> Reproduction:
    """Whether a published finding was seen here.

    A difference matters from 0.02 of a score between 0 and 1, of other scores from the smallest
    that the study would see. `same` is reproduced if the whole interval is closer to zero than
    that. `better` or `worse` is reproduced if found, and not if the opposite was found, or if the
    interval has no difference in its direction that matters. Otherwise an interval without
    evidence is too wide to say.

    Args:
        published: `better`, `worse` or `same`.
        evidence: Of the row.
        finding: Of the row.
        score: The metric.
    """
    none: Reproduction = (
        "cannot be seen at this size" if finding == "no evidence" else "not reproduced"
    )
    if finding == published:
        return "reproduced"
    if "run" not in evidence.of:
        return "cannot be seen at this size"
    margin = MATTERS if bounds(score) == (0, 1) else evidence.smallest
    if evidence.ci95 is None or margin is None:
        return none
    low, high = sorted(sign(score) * end for end in evidence.ci95)
    if published == "same":
        return "reproduced" if -margin < low and high < margin else none
    excluded = high < margin if published == "better" else low > -margin
    return "not reproduced" if excluded else none


def _holds_zero(interval: Interval) -> bool:
    return interval[0] <= 0 <= interval[1]


def _digits(width: float) -> int:
    """Decimals that show half the width of an interval, 3 to 6."""
    if width <= 0 or not math.isfinite(width):
        return 3
    return min(6, max(3, -math.floor(math.log10(width / 2))))
