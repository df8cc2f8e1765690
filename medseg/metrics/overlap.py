"""Scores of one case, class by class: overlap, distance, volume.

MONAI's metrics drop what is empty: a structure that the network missed becomes NaN, and
the mean over the other cases gets better by it. Here every case counts in every class:

| presence | in label | in pred | DSC, IoU, precision, recall | HD95                  |
|----------|----------|---------|-----------------------------|-----------------------|
| both     | yes      | yes     | as measured                 | as measured           |
| missed   | yes      | no      | 0                           | the volume's diagonal |
| invented | no       | yes     | 0                           | the volume's diagonal |
| absent   | no       | no      | 1                           | 0                     |

Reference:
    Maier-Hein et al., Metrics reloaded, Nat. Methods 2024.
    https://doi.org/10.1038/s41592-023-02151-z
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.errors import DataError
from medseg.metrics.hausdorff import diagonal_mm, hausdorff95_mm

__all__ = ["ClassScores", "Presence", "absent_scores", "label_scores"]

Presence = Literal["both", "missed", "invented", "absent"]
Labels = NDArray[np.integer[Any]]
Box = tuple[slice, ...]

# So many voxels at a time become the integers that bincount counts: they stay in the cache.
_SLAB_VOXELS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """How well one class of one case was found; see the module for empty classes.

    Attributes:
        name: The class.
        presence: Where it occurs; `both` does not mean that they touch.
        dsc: Dice similarity coefficient, in [0, 1].
        iou: Intersection over union, in [0, 1].
        precision: Share of the prediction that is right, in [0, 1].
        recall: Share of the label that was found, in [0, 1].
        hd95_mm: 95th percentile of the Hausdorff distance, see `hausdorff95_mm`.
        pred_ml: Volume of the prediction; a 2-D image counts as 1 mm thick.
        label_ml: Volume of the label, likewise.
    """

    name: str
    presence: Presence
    dsc: float
    iou: float
    precision: float
    recall: float
    hd95_mm: float
    pred_ml: float
    label_ml: float


def label_scores(
    pred: Labels, label: Labels, class_names: Sequence[str], spacing_mm: Sequence[float]
) -> list[ClassScores]:
    """Score every class but the background.

    Args:
        pred: `(I, J)` or `(I, J, K)`, values below `len(class_names)`.
        label: The same shape, the reference.
        class_names: One for each value, the background's first.
        spacing_mm: Size of a voxel along each axis, in mm.

    Returns:
        One entry for each of `class_names[1:]`, in that order.

    Raises:
        DataError: If the shapes differ or a value has no name.
    """
    if pred.shape != label.shape or pred.ndim != len(spacing_mm):
        raise DataError(
            "prediction, label and spacing must agree, "
            f"got {pred.shape}, {label.shape} and {len(spacing_mm)} spacings"
        )
    _check_values("prediction", pred, class_names)
    _check_values("label", label, class_names)
    if pred.flags.f_contiguous:  # as nibabel reads; scores do not mind the order of axes
        pred, label, spacing_mm = pred.T, label.T, spacing_mm[::-1]
    counts = _confusion(pred, label, len(class_names))
    boxes = zip(_boxes(pred, len(class_names)), _boxes(label, len(class_names)), strict=True)
    scores: list[ClassScores] = []
    for value, (of_pred, of_label) in enumerate(boxes, start=1):
        if of_pred and of_label:
            box = _joint(of_pred, of_label)
            hd95_mm = hausdorff95_mm(pred[box] == value, label[box] == value, spacing_mm)
        else:
            hd95_mm = diagonal_mm(pred.shape, spacing_mm) if of_pred or of_label else 0.0
        voxels = (counts[value, value], counts[value].sum(), counts[:, value].sum())
        scores.append(_class_scores(class_names[value], voxels, hd95_mm, spacing_mm))
    return scores


def absent_scores(name: str) -> ClassScores:
    """The scores of a class that is in neither."""
    return _class_scores(name, (0, 0, 0), 0.0, (1.0,))


def _check_values(what: str, values: Labels, class_names: Sequence[str]) -> None:
    if not np.issubdtype(values.dtype, np.integer):
        raise DataError(f"{what} must hold integers, got {values.dtype}")
    for value in (int(values.min(initial=0)), int(values.max(initial=0))):
        if not 0 <= value < len(class_names):
            raise DataError(
                f"{what} holds the value {value}, but 0 to {len(class_names) - 1} have names: "
                f"{', '.join(class_names)}"
            )


def _confusion(pred: Labels, label: Labels, classes: int) -> NDArray[np.int64]:
    flat_pred, flat_label = pred.reshape(-1), label.reshape(-1)
    counts = np.zeros(classes * classes, dtype=np.int64)
    for start in range(0, pred.size, _SLAB_VOXELS):
        slab = slice(start, start + _SLAB_VOXELS)
        pairs = flat_pred[slab].astype(np.intp) * classes + flat_label[slab].astype(np.intp)
        counts += np.bincount(pairs, minlength=classes * classes)
    return counts.reshape(classes, classes)


def _boxes(values: Labels, classes: int) -> list[Box | None]:
    # find_objects knows the native integers only.
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    # scipy has no complete annotations.
    return cast("Any", ndimage).find_objects(native, max_label=classes - 1)


def _joint(one: Box, other: Box) -> Box:
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )


def _class_scores(
    name: str, voxels: tuple[int, int, int], hd95_mm: float, spacing_mm: Sequence[float]
) -> ClassScores:
    hits, in_pred, in_label = (int(n) for n in voxels)
    ml = math.prod(spacing_mm) / 1000
    return ClassScores(
        name=name,
        presence=_presence(in_pred, in_label),
        dsc=_share(2 * hits, in_pred + in_label),
        iou=_share(hits, in_pred + in_label - hits),
        precision=_share(hits, in_pred or in_label),
        recall=_share(hits, in_label or in_pred),
        hd95_mm=hd95_mm,
        pred_ml=in_pred * ml,
        label_ml=in_label * ml,
    )


def _presence(in_pred: int, in_label: int) -> Presence:
    if in_pred:
        return "both" if in_label else "invented"
    return "missed" if in_label else "absent"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
