"""Words about a case for its picture: title, cautions, shares, and the numbers of its images."""

import re
from collections.abc import Sequence

from medseg.data.images.volume import Volume
from medseg.data.problems import Problem
from medseg.data.wording import in_words, rounded_percent
from medseg.prediction.cases import CohortCase
from medseg.reports.volumes import StructureVolume

__all__ = ["case_cautions", "image_numbers", "series_title", "share_remarks"]

_UID = re.compile(r"[0-9.]{20,64}")
# Enough to tell the series of one study apart.
_SHOWN_DIGITS = 8


def series_title(case: CohortCase, volume: Volume) -> str | None:
    """A title for a DICOM series that is named by its UID alone, which no one can read.

    Its modality, slices and the end of its UID; None for a case with a name.
    """
    if not case.is_dicom or not _UID.fullmatch(case.name):
        return None
    modality = "" if volume.series is None else f"{volume.series.modality} "
    i, j, k = volume.shape
    size = f"{k} slices of {i} x {j}"
    return f"{modality}series \u2026{case.name[-_SHOWN_DIGITS:]}, {size}"


def case_cautions(caution: str, problems: Sequence[Problem]) -> list[str]:
    """The caution of the weights, and the warnings about the case in one line."""
    lines = [caution[:1].upper() + caution[1:]]
    warnings = [problem.what for problem in problems if problem.severity == "warning"]
    return [*lines, f"Warning about the image: {'; '.join(warnings)}"] if warnings else lines


def share_remarks(measured: Sequence[StructureVolume]) -> dict[str, str]:
    """For a structure that is part of another, its share of the whole in words."""
    return {
        one.name: f"{rounded_percent(one.percent)} % of the whole {in_words(one.parent)}"
        for one in measured
        if one.parent is not None and one.percent is not None
    }


def image_numbers(volume: Volume) -> list[int | None] | None:
    """InstanceNumber of each slice along the third axis; None if that is not known."""
    if volume.series is None or volume.dicom is None:
        return None
    numbers = {(one.sop_uid, one.index + 1): one.number for one in volume.series.frames}
    planes = volume.dicom.planes
    return [
        None if plane is None else numbers.get((plane.sop_uid, plane.frame)) for plane in planes
    ]
