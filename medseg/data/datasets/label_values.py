"""Label values: how often each occurs, and which of them are wrong, with what to do."""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg._checks import first_few
from medseg.data.label_kind import MASK_THRESHOLD
from medseg.data.problems import Problem

__all__ = ["count_values", "label_problems"]

# Labels are at most 16 bit; a file with more values is an image.
MAX_VALUES = 65536
SHOWN = 5


def count_values(array: NDArray[Any]) -> dict[float, int]:
    """Number of voxels of each value, in ascending order of values, NaN last.

    Counting stops early, with a partial result, at more values than a label can have.
    """
    counts: dict[float, int] = {}
    # Slice by slice: sorting a whole CT takes seconds and several times its memory.
    for k in range(array.shape[2]):
        values, voxels = np.unique(array[:, :, k], return_counts=True)
        for value, count in zip(values.tolist(), voxels.tolist(), strict=True):
            # NaN differs from itself; using one object makes it one key.
            key = value if value == value else math.nan
            counts[key] = counts.get(key, 0) + count
        if len(counts) > MAX_VALUES:
            break
    return {key: counts[key] for key in sorted(counts, key=lambda key: (math.isnan(key), key))}


def label_problems(
    counts: Mapping[float, int], label_values: Collection[int]
) -> tuple[Problem, ...]:
    """Problems of a label's values; those that are named and do not occur are none.

    Args:
        counts: See `count_values`.
        label_values: The values that have a name.
    """
    fractions = [value for value in counts if not float(value).is_integer()]
    if fractions:
        what = f"holds values that are not whole numbers: {_in_full(fractions)}"
        remedy = "resample labels by nearest neighbour, and check that this is the label"
        return (Problem("error", "label", what, remedy),)
    negative = [value for value in counts if value < 0]
    if negative:
        what = f"holds {_listed(negative)}, but label values count up from 0"
        remedy = (
            "no value means that a voxel is ignored: set these to the class that they are, or to 0 "
            "if they are background"
        )
        return (Problem("error", "label", what, remedy),)
    unnamed = [value for value in counts if value not in label_values]
    if unnamed:
        what = f"holds {_listed(unnamed)}, but only {_listed(sorted(label_values))} are named"
        return (Problem("error", "label", what, _remedy(set(counts), set(label_values))),)
    if set(counts) == {0}:
        remedy = "fine if this patient has nothing to segment; else check the file"
        return (Problem("warning", "label", "is all background", remedy),)
    return ()


def _remedy(values: set[float], named: set[int]) -> str:
    """What to do about values without a name; nothing that could make one class of another."""
    name_all = "name each value from 0, the background, up (--label-names)"
    marked = values - {0}
    if named == {0, 1} and min(marked) > MASK_THRESHOLD and max(marked) <= 255:
        return "if it is a mask, set label_kind to mask (--label-kind mask)"
    if named == {0, 1} and len(marked) > 1:
        return (
            "if they number objects, set label_kind to instances (--label-kind instances); else "
            f"{name_all}"
        )
    if named == {0, 1}:
        return f"{name_all}, or map {max(marked):g} to 1 if it marks what 1 is named for"
    return f"{name_all}, or map them to the class that they are"


def _listed(values: Iterable[float]) -> str:
    return first_few((f"{value:g}" for value in values), SHOWN)


def _in_full(values: Iterable[float]) -> str:
    """Values with all digits: 0.998877 would otherwise be a puzzling 1."""
    return first_few((repr(float(value)) for value in values), SHOWN)
