"""The scores of many cases in a few numbers, with every case in every one of them.

A mean hides the case that failed, so each class names its worst one and says how often
it was missed, invented or not there at all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medseg.metrics.overlap import ClassScores, Presence

__all__ = ["METRICS", "ClassSummary", "Metric", "Spread", "Summary", "summarise"]

Metric = Literal["dsc", "iou", "precision", "recall", "hd95_mm", "pred_ml", "label_ml"]
METRICS: tuple[Metric, ...] = (
    "dsc",
    "iou",
    "precision",
    "recall",
    "hd95_mm",
    "pred_ml",
    "label_ml",
)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One metric over all cases; `sd` is the sample's (n - 1), and 0 for one case."""

    mean: float
    median: float
    sd: float
    min: float
    max: float


@dataclass(frozen=True, kw_only=True)
class ClassSummary:
    """One class over all cases.

    Attributes:
        name: The class.
        cases: How many cases count, empty ones included.
        presence: How many are missed, invented and so on; kinds without a case left out.
        worst_case: The case of the lowest DSC, the first of equals.
        metrics: Every metric's spread.
    """

    name: str
    cases: int
    presence: dict[Presence, int]
    worst_case: str
    metrics: dict[Metric, Spread]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All classes over all cases; `macro` is the plain mean of the classes' means."""

    classes: tuple[ClassSummary, ...]
    macro: dict[Metric, float]


def summarise(cases: Mapping[str, Sequence[ClassScores]]) -> Summary:
    """Summarise class by class.

    Args:
        cases: The scores of each case, the same classes in the same order in all.

    Raises:
        ValueError: If there is no case, no class, or the cases' classes differ.
    """
    kinds = {tuple(scores.name for scores in classes) for classes in cases.values()}
    if len(kinds) != 1 or kinds == {()}:
        raise ValueError(f"summarise needs cases with the same classes, got {sorted(kinds)}")
    columns = zip(*cases.values(), strict=True)
    classes = tuple(_class_summary(tuple(cases), column) for column in columns)
    macro: dict[Metric, float] = {
        metric: float(np.mean([one.metrics[metric].mean for one in classes])) for metric in METRICS
    }
    return Summary(classes=classes, macro=macro)


def _class_summary(cases: Sequence[str], scores: Sequence[ClassScores]) -> ClassSummary:
    worst = min(range(len(scores)), key=lambda i: scores[i].dsc)
    return ClassSummary(
        name=scores[0].name,
        cases=len(scores),
        presence=dict(Counter(one.presence for one in scores)),
        worst_case=cases[worst],
        metrics={metric: _spread([getattr(one, metric) for one in scores]) for metric in METRICS},
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(
        mean=float(np.mean(values)),
        median=float(np.median(values)),
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
        min=float(np.min(values)),
        max=float(np.max(values)),
    )
