"""A label mended: its values, its axes, its affine, or its voxels brought to the image's grid."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.datasets.grids import corner_gap_mm, grid_problems, same_axes
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.data.label_kind import LabelKind, near_whole
from medseg.data.problems import Problem
from medseg.mending.change import Change
from medseg.mending.values import ValueMap

__all__ = ["MendedLabel", "mend_label"]

Label = Volume | Picture

# Of the smallest side of a voxel: an affine that is farther off is another place, not rounding.
_AFFINE_VOXELS = 0.5
# Share of what a label marks that may lie outside of its image.
_OUTSIDE = 0.01


@dataclass(frozen=True, eq=False)
class MendedLabel:
    """A label after all that could be done for it.

    Attributes:
        array: Whole numbers where it was floating point and could be.
        affine: `(4, 4)`.
        changes: What was done, in this order.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    changes: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class _Step:
    label: Label
    change: Change | None = None
    left: Problem | None = None


def mend_label(
    label: Label, image: Label, values: ValueMap, kind: LabelKind = "classes"
) -> MendedLabel | Problem:
    """Mend a label as far as that is safe.

    Args:
        label: As read.
        image: Its image.
        values: What the values of the data set's labels become.
        kind: Kind of the label file; only classes have their values changed.

    Returns:
        The label, or why its grid cannot be mended. What else is wrong with it stays.
    """
    values = values if kind == "classes" else ValueMap()
    steps: list[Callable[[Label], _Step]] = [
        _as_whole,
        lambda one: _renumbered(one, values),
        lambda one: _turned(one, image),
        lambda one: _placed(one, image),
    ]
    changes: list[Change] = []
    for step in steps:
        done = step(label)
        if done.left is not None:
            return done.left
        label = done.label
        changes += [] if done.change is None else [done.change]
    return MendedLabel(label.array, label.affine, tuple(changes))


def _as_whole(label: Label) -> _Step:
    if label.array.dtype.kind != "f":
        return _Step(label)
    array = near_whole(label.array)
    if not np.isfinite(array).all() or (array != np.rint(array)).any() or array.min() < 0:
        return _Step(label)
    if array.max() > np.iinfo(np.uint16).max:
        return _Step(label)
    what = f"whole numbers stored as {label.dtype}, now as integers"
    why = "no value changes, but for rounding of 32 bits"
    whole = array.astype(np.uint8 if array.max() < 256 else np.uint16)
    return _Step(_with_array(label, whole), Change("label", "whole numbers", what, why))


def _renumbered(label: Label, values: ValueMap) -> _Step:
    present = [v for v in values.values if (label.array == v).any()]
    if not present or label.array.dtype.kind == "f":
        return _Step(label)
    array = label.array.copy()
    for value in present:
        array[label.array == value] = values.values[value]
    listed = ", ".join(f"{value} to {values.values[value]}" for value in present)
    change = Change("label", "values", f"values renumbered: {listed}", values.why)
    return _Step(_with_array(label, array), change)


def _turned(label: Label, image: Label) -> _Step:
    turned = same_axes(image, label)
    if turned is label or isinstance(label, Picture):
        return _Step(label)
    what = f"axes turned from {label.orientation} to the image's {image.orientation}"
    why = "no voxel changes its place or its value"
    return _Step(turned, Change("label", "axes", what, why))


def _placed(label: Label, image: Label) -> _Step:
    problems = grid_problems(image, label)
    if not problems:
        return _Step(label)
    if isinstance(label, Picture) or isinstance(image, Picture):
        return _Step(label, left=problems[0])
    if label.shape == image.shape:
        return _copied_affine(label, image, problems[0])
    return _resampled(label, image)


def _copied_affine(label: Volume, image: Volume, problem: Problem) -> _Step:
    gap_mm = corner_gap_mm(image.shape, image.affine, label.affine)
    most_mm = _AFFINE_VOXELS * min(image.spacing_mm)
    if gap_mm > most_mm:
        return _Step(label, left=problem)
    what = f"affine replaced by the image's, {gap_mm:.3g} mm from it (tolerated: {most_mm:.3g} mm)"
    why = "the shape is the same, and no voxel moves by more than half of one"
    placed = replace(label, affine=image.affine, spacing_mm=image.spacing_mm)
    return _Step(placed, Change("label", "affine", what, why))


def _resampled(label: Volume, image: Volume) -> _Step:
    outside = _share_outside(label, image)
    if outside > _OUTSIDE:
        what = f"{100 * outside:.0f} % of what it marks lies outside of its image"
        remedy = "look whether it belongs to this image, and correct its affine"
        return _Step(label, left=Problem("error", "label", what, remedy))
    matrix = np.linalg.inv(label.affine) @ image.affine
    array: NDArray[Any] = cast("Any", ndimage).affine_transform(
        label.array, matrix, output_shape=image.shape, order=0, mode="grid-constant", cval=0
    )
    lost = sorted(set(np.unique(label.array).tolist()) - set(np.unique(array).tolist()) - {0})
    if lost:
        what = f"value {lost[0]:g} has no voxel left in the image's grid"
        remedy = "draw it in this image, or use the image that it was drawn on"
        return _Step(label, left=Problem("error", "label", what, remedy))
    before, after = _ml(label), _ml(replace(label, array=array, spacing_mm=image.spacing_mm))
    what = (
        f"resampled from {_words(label)} to the image's {_words(image)} by nearest neighbour; "
        f"{before:.3g} ml marked before, {after:.3g} ml after"
    )
    why = "it lies within its image, and no class is lost"
    placed = replace(label, array=array, affine=image.affine, spacing_mm=image.spacing_mm)
    return _Step(placed, Change("label", "resampled", what, why))


def _share_outside(label: Volume, image: Volume) -> float:
    marked = np.argwhere(label.array)
    if not len(marked):
        return 0.0
    matrix = np.linalg.inv(image.affine) @ label.affine
    places = marked @ matrix[:3, :3].T + matrix[:3, 3]
    inside = ((places >= -0.5) & (places <= np.asarray(image.shape) - 0.5)).all(axis=1)
    return float(1 - inside.mean())


def _ml(label: Volume) -> float:
    return float(np.count_nonzero(label.array) * np.prod(label.spacing_mm) / 1000)


def _words(volume: Volume) -> str:
    shape = "x".join(map(str, volume.shape))
    return f"{shape} at {'x'.join(f'{step:.3g}' for step in volume.spacing_mm)} mm"


def _with_array(label: Label, array: NDArray[Any]) -> Label:
    return replace(label, array=array, dtype=array.dtype.name)
