"""Metrics: scores per case and class or object, and their summary over cases."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.metrics.bootstrap import draw_cases, interval95
    from medseg.metrics.case_scores import label_scores
    from medseg.metrics.class_scores import ClassScores, Presence, absent_scores
    from medseg.metrics.criteria import Criteria, LesionOverlap
    from medseg.metrics.groups import GroupSummary, summarise_groups
    from medseg.metrics.instances import InstanceScores, instance_scores, pooled_instances
    from medseg.metrics.lesions import LesionCounts, lesion_counts
    from medseg.metrics.summary import (
        METRICS,
        POOLED_METRICS,
        ClassSummary,
        Estimate,
        Metric,
        Spread,
        Summary,
        summarise,
    )
    from medseg.metrics.surface import SurfaceScores, diagonal_mm, hausdorff95_mm, surface_scores

__all__ = [
    "METRICS",
    "POOLED_METRICS",
    "ClassScores",
    "ClassSummary",
    "Criteria",
    "Estimate",
    "GroupSummary",
    "InstanceScores",
    "LesionCounts",
    "LesionOverlap",
    "Metric",
    "Presence",
    "Spread",
    "Summary",
    "SurfaceScores",
    "absent_scores",
    "diagonal_mm",
    "draw_cases",
    "hausdorff95_mm",
    "instance_scores",
    "interval95",
    "label_scores",
    "lesion_counts",
    "pooled_instances",
    "summarise",
    "summarise_groups",
    "surface_scores",
]

__getattr__, __dir__ = attach(__name__)
