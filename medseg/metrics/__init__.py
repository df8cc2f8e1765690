"""Metrics: scores of one case, class by class, and of many cases together."""

from medseg.metrics.hausdorff import diagonal_mm, hausdorff95_mm
from medseg.metrics.overlap import ClassScores, Presence, absent_scores, label_scores
from medseg.metrics.summary import METRICS, ClassSummary, Metric, Spread, Summary, summarise

__all__ = [
    "METRICS",
    "ClassScores",
    "ClassSummary",
    "Metric",
    "Presence",
    "Spread",
    "Summary",
    "absent_scores",
    "diagonal_mm",
    "hausdorff95_mm",
    "label_scores",
    "summarise",
]
