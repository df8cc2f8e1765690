"""What is done to a DICOM series with gantry tilt or missing slices, by its words."""

from typing import Literal, get_args

__all__ = ["Gaps", "Tilt", "check_words"]

Tilt = Literal["refuse", "resample"]
Gaps = Literal["refuse", "interpolate"]


def check_words(tilt: str, gaps: str) -> None:
    """Refuse unknown words.

    Raises:
        ValueError: It names those that are known.
    """
    for name, word, known in (("tilt", tilt, get_args(Tilt)), ("gaps", gaps, get_args(Gaps))):
        if word not in known:
            raise ValueError(f"{name} must be one of {known}, got {word!r}")
