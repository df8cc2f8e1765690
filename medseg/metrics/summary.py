"""Summary of scores over cases: macro and micro (pooled) averages, with no case left out.

The two averages answer different questions. Macro: every case weighs the same, then every class.
Micro: the voxels (or lesions) of all cases are counted as if they were one image, so large
structures dominate. A mean hides the case that failed, so each class names its worst case and the
number of cases in which it was missed, invented or absent.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.bootstrap import draw_cases, interval95
from medseg.metrics.class_scores import ClassScores, Presence
from medseg.metrics.lesions import lesion_f1
from medseg.metrics.voxel_counts import OverlapMetric, overlap_scores

__all__ = [
    "METRICS",
    "POOLED_METRICS",
    "ClassSummary",
    "Estimate",
    "Metric",
    "Spread",
    "Summary",
    "summarise",
]

Metric = (
    OverlapMetric
    | Literal[
        "lesion_f1", "hd95_mm", "nsd", "assd_mm", "volume_error_percent", "pred_ml", "label_ml"
    ]
)
METRICS: tuple[Metric, ...] = (
    "dsc",
    "iou",
    "precision",
    "recall",
    "accuracy",
    "conformity",
    "hd95_mm",
    "nsd",
    "assd_mm",
    "volume_error_percent",
    "pred_ml",
    "label_ml",
    "lesion_f1",
)
# Metrics of counts, which can be pooled over all cases as if they were one image.
POOLED_METRICS: tuple[Metric, ...] = (
    "dsc",
    "iou",
    "precision",
    "recall",
    "accuracy",
    "conformity",
    "lesion_f1",
)
Interval = tuple[float, float]
Floats = NDArray[np.float64]

_COUNTED = (
    "tp",
    "fp",
    "fn",
    "tn",
    "label_lesions",
    "found_lesions",
    "pred_lesions",
    "right_lesions",
)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Statistics of one metric over all cases.

    Attributes:
        mean: Over the cases.
        median: Over the cases.
        sd: Sample standard deviation (n - 1); 0 for one case.
        min: Over the cases.
        max: Over the cases.
        ci95: Bootstrap interval of the mean, see `medseg.metrics.bootstrap`.
    """

    mean: float
    median: float
    sd: float
    min: float
    max: float
    ci95: Interval


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A pooled score and its bootstrap interval."""

    value: float
    ci95: Interval


@dataclass(frozen=True, kw_only=True)
class ClassSummary:
    """Summary of one class over all cases.

    Attributes:
        name: The class.
        cases: Number of cases, empty ones included.
        presence: Number of cases per `Presence`; those without a case are left out.
        worst_case: The case with the lowest DSC, the first of equals.
        metrics: Statistics of every metric.
        micro: `POOLED_METRICS`, scored as if all cases were one image.
    """

    name: str
    cases: int
    presence: dict[Presence, int]
    worst_case: str
    metrics: dict[Metric, Spread]
    micro: dict[Metric, Estimate]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Summary of all classes over all cases.

    Attributes:
        classes: One summary per class, in order.
        macro: Unweighted mean of the classes' means.
        macro_ci95: Its bootstrap interval.
        micro: `POOLED_METRICS`, scored as if all cases and classes were one.
    """

    classes: tuple[ClassSummary, ...]
    macro: dict[Metric, float]
    macro_ci95: dict[Metric, Interval]
    micro: dict[Metric, Estimate]


def summarise(cases: Mapping[str, Sequence[ClassScores]], *, seed: int = 0) -> Summary:
    """Summarise the scores of all cases, class by class.

    Args:
        cases: The scores of each case, the same classes in the same order in all.
        seed: Of the bootstrap.

    Raises:
        ValueError: If there is no case, no class, or the cases' classes differ.
    """
    kinds = {tuple(scores.name for scores in classes) for classes in cases.values()}
    if len(kinds) != 1 or kinds == {()}:
        raise ValueError(f"summarise needs cases with the same classes, got {sorted(kinds)}")
    draws = draw_cases(len(cases), seed=seed)
    columns = list(zip(*cases.values(), strict=True))
    values, counts = (
        np.array([[[getattr(one, name) for name in names] for one in column] for column in columns])
        for names in (METRICS, _COUNTED)
    )
    classes = tuple(
        _class_summary(tuple(cases), column, of_class, _pooled(of_counts, draws), draws)
        for column, of_class, of_counts in zip(columns, values, counts, strict=True)
    )
    macro = values.mean(axis=0)
    low, high = interval95(draws @ macro / len(cases)).tolist()
    return Summary(
        classes=classes,
        macro=dict(zip(METRICS, macro.mean(axis=0).tolist(), strict=True)),
        macro_ci95=dict(zip(METRICS, zip(low, high, strict=True), strict=True)),
        micro=_pooled(counts.sum(axis=0), draws),
    )


def _class_summary(
    cases: Sequence[str],
    scores: Sequence[ClassScores],
    values: Floats,
    micro: dict[Metric, Estimate],
    draws: NDArray[np.int64],
) -> ClassSummary:
    worst = min(range(len(scores)), key=lambda i: scores[i].dsc)
    ends = interval95(draws @ values / len(cases)).T
    return ClassSummary(
        name=scores[0].name,
        cases=len(scores),
        presence=dict(Counter(one.presence for one in scores)),
        worst_case=cases[worst],
        metrics={
            metric: _spread(column, interval)
            for metric, column, interval in zip(METRICS, values.T, ends, strict=True)
        },
        micro=micro,
    )


def _pooled(counts: NDArray[Any], draws: NDArray[np.int64]) -> dict[Metric, Estimate]:
    """Scores of counts `(cases, counts)` summed over all cases, and over each resample."""
    whole, drawn = _scores_of(counts.sum(axis=0)), _scores_of(draws @ counts)
    return {
        metric: Estimate(value=float(whole[metric]), ci95=_ends(interval95(drawn[metric])))
        for metric in POOLED_METRICS
    }


def _scores_of(counts: NDArray[Any]) -> dict[Metric, Floats]:
    return {**overlap_scores(counts[..., :4]), "lesion_f1": lesion_f1(counts[..., 4:])}


def _spread(values: Floats, interval: Floats) -> Spread:
    return Spread(
        mean=float(np.mean(values)),
        median=float(np.median(values)),
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
        min=float(np.min(values)),
        max=float(np.max(values)),
        ci95=_ends(interval),
    )


def _ends(interval: Floats) -> Interval:
    return float(interval[0]), float(interval[1])
