"""Wording of results in all outputs: names of classes, volumes and percentages.

Volumes are rounded to the digits that they are worth: a label's boundary is
uncertain by a fraction of a voxel, which is per cents of a small structure and tenths of a per cent
of a large one.
"""

__all__ = ["in_words", "rounded_ml", "rounded_percent"]


def in_words(name: str) -> str:
    """A class's name as people write it, `left lung` for `left_lung`."""
    return name.replace("_", " ")


def rounded_ml(ml: float) -> str:
    """A volume in ml: tenths from 100 ml on, hundredths from 10 ml on, else microlitres."""
    decimals = 1 if ml >= 100 else 2 if ml >= 10 else 3
    return f"{ml:.{decimals}f}"


def rounded_percent(percent: float) -> str:
    """A percentage: tenths from 10 % on, else hundredths."""
    return f"{percent:.{1 if percent >= 10 else 2}f}"
