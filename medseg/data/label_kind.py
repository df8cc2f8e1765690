"""Kinds of label files (classes, instances, masks), and their conversion to class values.

Microscopy labels number cells, and histology masks are grey pictures with soft edges. Both become
background and one class, the values that a manifest names.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["MASK_THRESHOLD", "LabelKind", "as_classes"]

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
        The same shape. Invalid values, such as NaN or a fraction among instances, stay as they
        are, so that later checks find them.
    """
    if kind == "classes":
        return label
    if kind == "mask":
        inside = (label >= 0) & (label <= 255)
        return np.where(inside, label > MASK_THRESHOLD, label)
    objects = (label > 0) & (label == np.floor(label))
    return np.where(objects, np.ones((), dtype=label.dtype), label)
