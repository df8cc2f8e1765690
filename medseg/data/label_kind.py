"""What the numbers in a data set's label files mean, and how they become classes.

Microscopists number cells, and masks of histology are grey pictures with soft edges. Both are one
class and background once they are brought to the numbers that a manifest names.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["MASK_THRESHOLD", "LabelKind", "as_classes"]

LabelKind = Literal["classes", "instances", "mask"]
# The middle of 8 bit.
MASK_THRESHOLD = 127.5


def as_classes(label: NDArray[Any], kind: LabelKind) -> NDArray[Any]:
    """Bring stored values to class values.

    Args:
        label: As stored.
        kind: `classes`: the values are classes already; `instances`: every whole number above 0
            is an object of class 1; `mask`: a picture from 0 to 255, above the middle is class 1.

    Returns:
        The same shape. What fits the kind nowhere, such as a NaN or a fraction among
        instances, stays, so that it is found.
    """
    if kind == "classes":
        return label
    if kind == "mask":
        inside = (label >= 0) & (label <= 255)
        return np.where(inside, label > MASK_THRESHOLD, label)
    objects = (label > 0) & (label == np.floor(label))
    return np.where(objects, np.ones((), dtype=label.dtype), label)
