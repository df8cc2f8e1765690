"""How much of a picture each class takes, and how many objects there are: a row of a table.

A picture has no millimetres: areas are pixels, and shares of the picture.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.label_kind import LabelKind, as_classes

__all__ = ["area_columns"]


def area_columns(
    label: NDArray[Any], class_names: Sequence[str], kind: LabelKind = "classes"
) -> dict[str, str]:
    """Measure all classes but the background.

    Args:
        label: `(I, J)`, class indices, or numbers of objects where `kind` says `instances`.
        class_names: One for each class, the background's first.
        kind: What the label's values mean.

    Returns:
        For each class its pixels and their percentage of the picture, and of instances
        their number, by the column's name.
    """
    pixels = np.bincount(as_classes(label, kind).ravel(), minlength=len(class_names))
    cells: dict[str, str] = {}
    for name, count in zip(class_names[1:], pixels[1:].tolist(), strict=False):
        cells[f"{name}_px"] = str(count)
        cells[f"{name}_percent"] = f"{100 * count / label.size:.3f}"
    if kind == "instances":
        numbers = np.unique(label)
        cells[f"{class_names[1]}_count"] = str(int(np.count_nonzero(numbers)))
    return cells
