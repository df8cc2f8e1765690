"""Criteria of the scores that depend on a choice: boundary tolerance and lesion overlap."""

from dataclasses import dataclass
from typing import Literal, get_args

from medseg._checks import require_choice, require_not_negative

__all__ = ["Criteria", "LesionOverlap"]

LesionOverlap = Literal["any", "half", "iou"]


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Criteria of the scores that depend on a choice.

    Attributes:
        tolerance_mm: Distance up to which a boundary counts as correct in NSD. The typical
            difference between two readers is a good choice; below the spacing only exact voxels
            count.
        lesion_overlap: When a lesion counts as found, see `medseg.metrics.lesions`.

    Raises:
        UsageError: If the tolerance is negative or not a number, or the overlap is an unknown word.
    """

    tolerance_mm: float = 2.0
    lesion_overlap: LesionOverlap = "any"

    def __post_init__(self) -> None:
        require_not_negative("tolerance_mm", self.tolerance_mm)
        require_choice("lesion_overlap", self.lesion_overlap, get_args(LesionOverlap))
