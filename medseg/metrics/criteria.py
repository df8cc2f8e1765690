"""Criteria: what counts as right where that is a choice."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from medseg.errors import UsageError

__all__ = ["Criteria", "LesionOverlap"]

LesionOverlap = Literal["any", "half", "iou"]


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What counts as right where that is a choice.

    Attributes:
        tolerance_mm: How far off a boundary may be and still count as right in NSD. The least
            that two readers differ by is a good choice; below the spacing only exact voxels count.
        lesion_overlap: When a lesion counts as found, see `medseg.metrics.lesions`.

    Raises:
        UsageError: If the tolerance is negative or no number, or the overlap another word.
    """

    tolerance_mm: float = 2.0
    lesion_overlap: LesionOverlap = "any"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tolerance_mm) and self.tolerance_mm >= 0):
            raise UsageError(f"tolerance_mm must be 0 mm or more, got {self.tolerance_mm}")
        if self.lesion_overlap not in get_args(LesionOverlap):
            allowed = ", ".join(get_args(LesionOverlap))
            raise UsageError(f"lesion_overlap must be one of {allowed}; got {self.lesion_overlap}")
