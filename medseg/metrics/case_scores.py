"""Scores of one case, class by class, each within the bounding box of the class.

For definitions and empty classes see `medseg.metrics.class_scores`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.errors import DataError
from medseg.metrics.class_scores import EXACT, ClassScores, Shapes, class_scores
from medseg.metrics.criteria import Criteria
from medseg.metrics.lesions import lesion_counts
from medseg.metrics.surface import SurfaceScores, diagonal_mm, surface_scores
from medseg.metrics.voxel_counts import confusion, one_against_rest

__all__ = ["label_scores"]

Labels = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
Box = tuple[slice, ...]


def label_scores(
    pred: Labels,
    label: Labels,
    class_names: Sequence[str],
    spacing_mm: Sequence[float],
    criteria: Criteria | None = None,
) -> list[ClassScores]:
    """Score every class except the background.

    Args:
        pred: `(I, J)` or `(I, J, K)`, values below `len(class_names)`.
        label: The same shape, the reference.
        class_names: One for each value, the background's first.
        spacing_mm: Size of a voxel along each axis, in mm.
        criteria: Tolerance and lesion overlap; by default `Criteria()`.

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
    if pred.flags.f_contiguous:  # as nibabel reads; the scores do not depend on the axis order
        pred, label, spacing_mm = pred.T, label.T, spacing_mm[::-1]
    counts = one_against_rest(confusion(pred, label, len(class_names)))
    boxes = zip(_boxes(pred, len(class_names)), _boxes(label, len(class_names)), strict=True)
    scores: list[ClassScores] = []
    for value, (of_pred, of_label) in enumerate(boxes, start=1):
        box = _joint(of_pred, of_label)
        masks = (pred[box] == value, label[box] == value)
        shapes = _shapes(masks, pred.shape, spacing_mm, criteria or Criteria())
        scores.append(class_scores(class_names[value], counts[value], shapes, spacing_mm))
    return scores


def _check_values(what: str, values: Labels, class_names: Sequence[str]) -> None:
    if not np.issubdtype(values.dtype, np.integer):
        raise DataError(f"{what} must hold integers, got {values.dtype}")
    for value in (int(values.min(initial=0)), int(values.max(initial=0))):
        if not 0 <= value < len(class_names):
            raise DataError(
                f"{what} holds the value {value}, but 0 to {len(class_names) - 1} have names: "
                f"{', '.join(class_names)}"
            )


def _boxes(values: Labels, classes: int) -> list[Box | None]:
    # find_objects supports native byte order only.
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return ndimage.find_objects(native, max_label=classes - 1)


def _joint(one: Box | None, other: Box | None) -> Box:
    if one is None or other is None:
        return one or other or (slice(0, 0),)
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )


def _shapes(
    masks: tuple[Mask, Mask],
    spatial: Sequence[int],
    spacing_mm: Sequence[float],
    criteria: Criteria,
) -> Shapes:
    pred, label = masks
    if not (pred.size or label.size):
        return EXACT
    lesions = lesion_counts(pred, label, overlap=criteria.lesion_overlap)
    if lesions.pred and lesions.label:
        tolerance_mm = criteria.tolerance_mm
        return surface_scores(pred, label, spacing_mm, tolerance_mm=tolerance_mm), lesions
    farthest_mm = diagonal_mm(spatial, spacing_mm)
    return SurfaceScores(hd95_mm=farthest_mm, nsd=0.0, assd_mm=farthest_mm), lesions
