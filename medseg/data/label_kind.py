"""Kinds of label files (classes, instances, masks), and their conversion to class values.

Microscopy labels number cells, and histology masks are grey pictures with soft edges. Both become
background and one class, the values that a manifest names.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medseg._checks import WHOLE_TOLERANCE

__all__ = ["MASK_THRESHOLD", "LabelKind", "as_classes", "near_whole"]

LabelKind = Literal["classes", "instances", "mask"]
# Half of the 8-bit range.
MASK_THRESHOLD = 127.5


def as_classes(label: NDArray[Any], kind: LabelKind) -> NDArray[Any]:
    """Convert stored values to class values.

    Args:
        label: As stored.
        kind: `classes`: the values are classes already; `instances`: every integer above 0 is an
            object of class 1; `mask`: a picture from 0 to 255, above `MASK_THRESHOLD` is class 1.

    Returns:
        The same shape. Values within rounding of a whole number become it; invalid ones, such as
        NaN or a fraction among instances, stay as they are, so that later checks find them.
    """
    label = near_whole(label)
    if kind == "classes":
        return label
    if kind == "mask":
        inside = (label >= 0) & (label <= 255)
        return np.where(inside, label > MASK_THRESHOLD, label)
    objects = (label > 0) & (label == np.floor(label))
    return np.where(objects, np.ones((), dtype=label.dtype), label)


def near_whole(label: NDArray[Any]) -> NDArray[Any]:
    """The label with 0.99999998 as 1: what scaling and resampling in floating point leave.

    Returns:
        The label itself if it needs no change; fractions, NaN and infinity stay as they are.
    """
    if label.dtype.kind != "f":
        return label
    whole = np.rint(label)
    if np.array_equal(whole, label):
        return label
    with np.errstate(invalid="ignore"):
        near = np.abs(label - whole) <= WHOLE_TOLERANCE
    return np.where(near, whole, label)
