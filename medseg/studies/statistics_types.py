"""What the statistics of a study say: noise, comparisons with the baseline, ranking."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Average",
    "Comparison",
    "Estimate",
    "Finding",
    "Noise",
    "RankedRow",
    "Reproduction",
    "StudySummary",
]

Interval = tuple[float, float]
Finding = Literal["better", "worse", "no evidence"]
Reproduction = Literal["reproduced", "not reproduced", "cannot be seen at this size"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over runs and cases.

    Attributes:
        mean: The mean.
        sd: Standard deviation of the runs' means; None for one run.
        ci95: Its 95 % interval, see `medseg.studies.statistics.mean`; None for one case in one
            run. Too short for a dozen cases or fewer if a few of many fail.
    """

    mean: float
    sd: float | None
    ci95: Interval | None


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Noise of the baseline: what its own repetitions differ by.

    Attributes:
        seeds: Number of its seeds.
        mean: Mean score over seeds and cases.
        sd: Standard deviation of the mean score between seeds.
        smallest_difference: Difference of a row with as many seeds and cases as the study has,
            that its interval tells from none with a probability of 80 %, before Holm's
            correction. A difference that varies from case to case must be larger.
    """

    seeds: int
    mean: float
    sd: float
    smallest_difference: float


@dataclass(frozen=True, kw_only=True)
class Average:
    """Scores of a class or of all, over the cases of a group or of all.

    Attributes:
        name: A class, or how classes are averaged: `macro`, the mean of the classes' means over
            cases; `pooled`, the counts of all cases added up for each class, then the mean of the
            classes; `micro`, the counts of all cases and classes added up.
        group: Of the cases, such as a tissue; empty for all; `mean of the groups` weighs each
            group the same.
        cases: Number of cases.
        values: By metric, the mean over seeds.
    """

    name: str
    group: str
    cases: int
    values: Mapping[str, float]


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
        difference_ci95: Its 95 % interval, for other seeds and other cases on these folds' training
            sets; None if no case or seed is repeated.
        p_value: Wilcoxon signed-rank test over cases within folds, their seeds averaged.
        p_holm: Corrected by Holm's method over all rows.
        p_mean: t-test of the mean difference, which accounts for seeds as the interval does.
        p_mean_holm: Corrected by Holm's method over all rows.
        effect_size: Mean difference in standard deviations of the cases' differences; None for
            one case, or if all differ by the same.
        smallest_difference: What this row's own differences would let the study see.
        probability_better: That a new run of the row is better than one of the baseline; None if
            runs are not repeated.
        finding: In a word; None where there is no difference.
        verdict: In words, such as `no evidence of a difference: ...`.
        notes: What the numbers leave out, such as cases without a pair.
        published: Whether the published finding was seen here; None if the study names none, or
            nothing was scored.
        classes: Mean score by class, macro, micro and pooled averages by name.
        averages: All metrics by class and group.
    """

    row: str
    runs: int
    failed: tuple[str, ...]
    score: Estimate | None
    difference: float | None
    difference_ci95: Interval | None
    p_value: float | None
    p_holm: float | None
    p_mean: float | None = None
    p_mean_holm: float | None = None
    effect_size: float | None = None
    smallest_difference: float | None = None
    probability_better: float | None
    finding: Finding | None = None
    verdict: str
    notes: tuple[str, ...] = ()
    published: Reproduction | None = None
    classes: Mapping[str, float]
    averages: tuple[Average, ...] = ()


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
