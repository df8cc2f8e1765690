"""Allowed corrections of a DICOM series with gantry tilt or missing slices, by their words."""

from typing import Literal, get_args

from medseg._checks import require_choice

__all__ = ["Gaps", "Tilt", "check_words"]

Tilt = Literal["refuse", "resample"]
Gaps = Literal["refuse", "interpolate"]


def check_words(tilt: str, gaps: str) -> None:
    """Refuse unknown words.

    Raises:
        UsageError: It lists the valid ones.
    """
    require_choice("tilt", tilt, get_args(Tilt))
    require_choice("gaps", gaps, get_args(Gaps))
