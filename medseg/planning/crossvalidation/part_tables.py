"""Connected parts of out-of-fold predictions: how large each is, and how much of it is right.

From these few numbers the DSC of a class follows for any rule of which parts stay, so that all
rules are tried without a label being read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.images.picture import Picture
from medseg.data.label_kind import LabelKind
from medseg.inference.kept_parts import PartRule, label_parts, stays, unit_size
from medseg.reports.label_pair import read_pair
from medseg.reports.pairing import EvaluationCase

__all__ = ["ClassParts", "case_parts", "class_parts"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassParts:
    """Parts of one class in one predicted label.

    Attributes:
        voxels: `(n,)`, of each part.
        hits: `(n,)`, those of them that are of the class in the reference.
        label_voxels: Of the class in the reference.
        smallest_label: Size of the smallest part of the reference; infinite if it has none.
        unit: Size of a voxel, in ml, or 1 for a picture's pixel.
    """

    voxels: NDArray[np.int64]
    hits: NDArray[np.int64]
    label_voxels: int
    smallest_label: float
    unit: float

    @property
    def sizes(self) -> NDArray[np.float64]:
        """`(n,)`, in the unit."""
        return self.voxels.astype(np.float64) * self.unit

    def dsc(self, rule: PartRule | None) -> float:
        """DSC if only the parts stay that a rule lets stay; 1 if neither has any."""
        kept = np.ones(len(self.voxels), bool) if rule is None else stays(self.sizes, rule)
        both = int(self.voxels[kept].sum()) + self.label_voxels
        return 2 * int(self.hits[kept].sum()) / both if both else 1.0


def case_parts(
    pair: EvaluationCase, class_names: Sequence[str], label_kind: LabelKind
) -> dict[str, ClassParts]:
    """Parts of every class in a predicted label, by name.

    Args:
        pair: Reference and prediction.
        class_names: One for each value, the background's first.
        label_kind: Kind of the reference.

    Raises:
        DataError: If the pair cannot be read.
    """
    read = read_pair(pair, len(class_names), label_kind)
    pred, label = read.classes
    picture = isinstance(read.reference, Picture)
    affine = None if isinstance(read.reference, Picture) else read.reference.affine
    unit = unit_size(affine, 2 if picture else 3)
    return {
        name: class_parts(pred == value, label == value, unit)
        for value, name in enumerate(class_names)
        if value
    }


def class_parts(pred: NDArray[Any], label: NDArray[Any], unit: float) -> ClassParts:
    """Parts of one class.

    Args:
        pred: `(*spatial)`, where it is predicted.
        label: Likewise, where it is.
        unit: Size of a voxel.
    """
    parts, count = label_parts(pred)
    theirs, _ = label_parts(label)
    true_sizes = np.bincount(theirs.ravel())[1:]
    return ClassParts(
        voxels=np.bincount(parts.ravel(), minlength=count + 1)[1:],
        hits=np.bincount(parts[label], minlength=count + 1)[1:],
        label_voxels=int(label.sum()),
        smallest_label=float(true_sizes.min()) * unit if len(true_sizes) else np.inf,
        unit=unit,
    )
