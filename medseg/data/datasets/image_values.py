"""Image values: NaN, constant images, implausible ranges, labels given as images.

Everything but NaN is a warning: it may be intended, and what looks odd here may be right. Minimum
and maximum are computed once; a search for distinct values looks at a sample.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.datasets.expected import UNKNOWN, Expected
from medseg.data.problems import Problem

__all__ = ["value_problems"]

# A label has at most this many values; in images so few values do not occur.
FEW_VALUES = 8
# Smaller images are crops and examples, which may well have few values.
LEAST_VOXELS = 1000
SAMPLE_VOXELS = 100_000
# The highest uptake seen in patients is some hundred; Bq/ml are thousands.
HIGHEST_SUV = 1000
# Interpolation makes values a little below 0, a phase image half of its range.
NEGATIVE_SHARE = 0.05
LEAST_SHARE_OF_WINDOW = 0.02
# Whole numbers up to here are exact in 32-bit floats.
EXACT = 2**24


def value_problems(array: NDArray[Any], expected: Expected = UNKNOWN) -> tuple[Problem, ...]:
    """Problems of an image's values.

    Args:
        array: Of any shape, not empty.
        expected: What is said of such images.
    """
    if array.dtype.kind == "f":
        bad = ~np.isfinite(array)
        count = int(bad.sum())
        if count:
            example = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), array.shape))
            what = f"{count} of {array.size} voxels are NaN or infinite, e.g. voxel {example}"
            remedy = "replace them by the background's value, or leave the case out"
            return (Problem("error", "image", what, remedy),)
    low, high = float(array.min()), float(array.max())
    if low == high:
        what = f"all voxels are {array.flat[0]}"
        return (Problem("warning", "image", what, "check that this is the image"),)
    too_large = _size_problems(max(abs(low), abs(high)), array.dtype)
    if too_large:
        return too_large
    if _looks_like_a_label(array, low, high):
        what = f"holds at most {FEW_VALUES} different values, all whole, as a label does"
        return (Problem("warning", "image", what, "check that this is the image, not its label"),)
    return tuple(_range_problems(low, high, array.dtype, expected))[:1]


def _size_problems(largest: float, dtype: np.dtype[Any]) -> tuple[Problem, ...]:
    """Problems of values that 32-bit floats, in which networks compute, cannot hold."""
    if largest > float(np.finfo(np.float32).max):
        what = f"holds values up to {largest:.3g}, beyond those of 32-bit floats"
        return (Problem("error", "image", what, "scale its values, or replace the wrong ones"),)
    if dtype.kind in "iu" and largest > EXACT:
        what = f"holds whole numbers beyond {EXACT}, which 32-bit floats round"
        return (Problem("warning", "image", what, "check that this is the image"),)
    return ()


def _looks_like_a_label(array: NDArray[Any], low: float, high: float) -> bool:
    if array.size < LEAST_VOXELS or low < 0 or high > 255:
        return False
    flat = array.ravel(order="K")
    values = np.unique(flat[:: max(1, flat.size // SAMPLE_VOXELS)])
    return len(values) <= FEW_VALUES and bool((values == np.rint(values)).all())


def _range_problems(
    low: float, high: float, dtype: np.dtype[Any], expected: Expected
) -> Iterator[Problem]:
    """Yield problems of the range, the most telling first."""
    scaled = low >= 0 and high <= 1
    if expected.unit == "HU" and low >= 0:
        range_ = "all values are from 0 to 1" if scaled else "no value is below 0"
        yield Problem(
            "warning",
            "image",
            f"{range_}, so it is not in HU, where air is -1000",
            "use the image as the scanner stored it, with its rescale intercept (mostly -1024), "
            "not windowed or scaled",
        )
    if expected.unit == "SUV" and high > HIGHEST_SUV:
        what = f"has values above {HIGHEST_SUV}, so it is not in SUV but perhaps in Bq/ml"
        yield Problem("warning", "image", what, "convert it to SUV")
    if expected.modality == "MR" and low < -NEGATIVE_SHARE * abs(high):
        what = "has values far below 0, which a magnitude image of MR does not have"
        remedy = "use the magnitude image as the scanner stored it, not phase, not normalised"
        yield Problem("warning", "image", what, remedy)
    if expected.modality in ("histology", "microscopy") and scaled and dtype.kind == "f":
        what = "all values are from 0 to 1, as if it had been divided by 255 already"
        yield Problem("warning", "image", what, "use the picture as it was stored, with 8 bit")
    if expected.window is not None and _share(low, high, expected.window) < LEAST_SHARE_OF_WINDOW:
        first, last = expected.window
        what = (
            f"its values use less than {100 * LEAST_SHARE_OF_WINDOW:g} % of the window [{first:g}, "
            f"{last:g}], so it becomes nearly one grey"
        )
        yield Problem("warning", "image", what, "check its unit, or set window for such images")


def _share(low: float, high: float, window: tuple[float, float]) -> float:
    """The part of a window that a range covers, in [0, 1]."""
    first, last = window
    if not first < last:
        return 1.0
    return max(0.0, min(high, last) - max(low, first)) / (last - first)
