"""Reference and prediction of one case, read and checked as labels everywhere are.

A prediction whose axes are only in another order or direction is turned to the reference's, which
changes no voxel; any other grid is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.datasets.grids import grid_problems, same_axes
from medseg.data.datasets.intake import refuse_errors
from medseg.data.datasets.label_values import count_values, label_problems
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.label_kind import MASK_THRESHOLD, LabelKind, as_classes, near_whole
from medseg.data.label_source import LabelSource
from medseg.data.problems import Problem
from medseg.errors import DataError
from medseg.reports.clinic_pairs import read_both
from medseg.reports.pairing import EvaluationCase

__all__ = ["LabelPair", "read_pair"]

Label = Volume | Picture


@dataclass(frozen=True, eq=False)
class LabelPair:
    """Two labels on one grid.

    Attributes:
        reference: As read, its values whole numbers.
        prediction: Likewise, with the reference's axes.
        classes: Prediction and reference as class values, in this order.
        warnings: What is remarkable about them.
    """

    reference: Label
    prediction: Label
    classes: tuple[NDArray[Any], NDArray[Any]]
    warnings: tuple[Problem, ...]


def read_pair(
    pair: EvaluationCase,
    class_count: int | None,
    label_kind: LabelKind = "classes",
    predicted_kind: LabelKind = "classes",
) -> LabelPair:
    """Read both labels of a case, and refuse what cannot be scored.

    Args:
        pair: The files.
        class_count: Number of classes, the background's included; None allows any values.
        label_kind: Kind of the reference.
        predicted_kind: Kind of the prediction.

    Raises:
        DataError: If there is no prediction, a file cannot be read, holds a value without a name,
            or the grids differ.
    """
    if pair.prediction is None:
        raise DataError(f"no prediction found; it should be named {pair.expected}")
    read = read_both(pair)
    reference = _whole(pair.reference, read[0])
    prediction = _whole(pair.prediction, read[1])
    turned = same_axes(reference, prediction)
    refuse_errors(pair.prediction, grid_problems(reference, turned, other="the reference's"))
    # Of a mask, 0 and 1 are the only classes, so that higher values of a prediction are grey.
    if label_kind == "mask" and 1 < turned.array.max(initial=0) <= 255:
        predicted_kind = "mask"
    classes = as_classes(turned.array, predicted_kind), as_classes(reference.array, label_kind)
    if class_count is not None:
        for path, array in zip((pair.prediction, pair.reference), classes, strict=True):
            _refuse_unnamed(path, array, class_count)
    elif _is_mask_of(classes[1], classes[0]):
        refuse_errors(pair.reference, label_problems(count_values(classes[1]), (0, 1)))
    return LabelPair(
        reference, turned, classes, tuple(_warnings(reference, prediction, turned, classes[1]))
    )


def _whole(path: LabelSource | Path, image: Label) -> Label:
    if image.array.dtype.kind in "iu":
        return image
    # Some programs store labels as floating point.
    array = near_whole(image.array)
    if not (np.isfinite(array).all() and (array == np.rint(array)).all()):
        counts = count_values(array)
        refuse_errors(path, label_problems(counts, [int(v) for v in counts if v == np.rint(v)]))
    return replace(image, array=array.astype(np.int32))


def _refuse_unnamed(path: LabelSource | Path, array: NDArray[Any], class_count: int) -> None:
    if array.min() < 0 or array.max() >= class_count:
        refuse_errors(path, label_problems(count_values(array), range(class_count)))


def _is_mask_of(reference: NDArray[Any], prediction: NDArray[Any]) -> bool:
    """Whether a reference is a grey mask (0 and 255) and the prediction has the classes 0 and 1."""
    high = reference.max()
    if prediction.max() != 1 or not MASK_THRESHOLD < high <= 255:
        return False
    return bool(((reference == 0) | (reference == high)).all())


def _warnings(
    reference: Label, prediction: Label, turned: Label, classes: NDArray[Any]
) -> list[Problem]:
    doubts: Mapping[str, Problem] = {
        doubt.what: doubt for label in (reference, prediction) for doubt in label.doubts
    }
    found = list(doubts.values())
    if turned is not prediction:
        what = (
            f"the prediction's axes ({prediction.orientation}) were turned to the reference's "
            f"({reference.orientation}), which changes no voxel"
        )
        found.append(Problem("warning", "label", what, "nothing, if the reference is right"))
    if not classes.any():
        found += label_problems({0: classes.size}, (0,))
    return found
