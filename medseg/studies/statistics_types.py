"""What the statistics of a study say: noise, comparisons with the baseline, ranking."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Comparison", "Estimate", "Noise", "RankedRow", "StudySummary"]

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean with its 95 % interval and the standard deviation over runs."""

    mean: float
    sd: float
    ci95: Interval


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Noise of the baseline: what its own repetitions differ by.

    Attributes:
        seeds: Number of its seeds.
        mean: Mean score over seeds and cases.
        sd: Standard deviation of the mean score between seeds.
        smallest_difference: Difference of a row with as many seeds and cases as the study has,
            that it would call one with a probability of 80 %, before Holm's correction.
    """

    seeds: int
    mean: float
    sd: float
    smallest_difference: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One row beside the baseline, in the study's score.

    Attributes:
        row: Its name.
        runs: Runs that were scored.
        failed: Reasons of those that failed.
        score: Mean over runs and cases.
        difference: Mean paired difference to the baseline, same case, same seed and fold; None
            for the baseline itself and for rows without a scored run.
        difference_ci95: Its 95 % interval.
        p_value: Wilcoxon signed-rank test over cases within folds, their seeds averaged.
        p_holm: Corrected by Holm's method over all rows.
        probability_better: That a new run of the row is better than one of the baseline.
        verdict: In words, such as `no evidence of a difference: ...`.
        classes: Mean score by class, macro, micro and pooled averages by name.
    """

    row: str
    runs: int
    failed: tuple[str, ...]
    score: Estimate | None
    difference: float | None
    difference_ci95: Interval | None
    p_value: float | None
    p_holm: float | None
    probability_better: float | None
    verdict: str
    classes: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class RankedRow:
    """Place of a row, and how stable it is under the bootstrap of cases and seeds.

    Attributes:
        row: Its name.
        rank: From 1.
        rank_ci95: Middle 95 % of its ranks over resamples.
        first_share: Share of the resamples in which it is the first.
    """

    row: str
    rank: int
    rank_ci95: tuple[int, int]
    first_share: float


@dataclass(frozen=True, kw_only=True)
class StudySummary:
    """Statistics of a study.

    Attributes:
        noise: None if the baseline has fewer than two seeds.
        rows: In the order of the study file, the baseline first.
        ranking: Best first; rows without a scored run are left out.
    """

    noise: Noise | None
    rows: tuple[Comparison, ...]
    ranking: tuple[RankedRow, ...]
