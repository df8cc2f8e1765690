"""Structures of a label: connected parts, their sizes, extent and thickness."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.planning.fingerprint.case_facts import QUANTILES, ClassFacts

__all__ = ["class_facts", "hole_sizes", "object_facts", "quantiles", "touching_share"]

Mask = NDArray[np.bool_]
_ndimage = cast("Any", ndimage)


def quantiles(values: NDArray[Any]) -> tuple[float, ...]:
    """Values at `QUANTILES`; empty of none."""
    if values.size == 0:
        return ()
    return tuple(float(value) for value in np.percentile(values, QUANTILES))


def class_facts(value: int, mask: Mask, spacing: Sequence[float]) -> ClassFacts:
    """Facts of a class.

    Args:
        value: Of the class.
        mask: `(*spatial)`, where it is.
        spacing: Size of a voxel along each axis.
    """
    box = _box(mask)
    if box is None:
        return _absent(value, mask.ndim)
    inner = mask[box]
    parts, count = _ndimage.label(inner)
    sizes = np.bincount(parts.ravel())[1:]
    largest = _ndimage.find_objects(parts)[int(sizes.argmax())]
    lengths = [one.stop - one.start for one in largest]
    # A voxel of rim, so that the box's own edge is background.
    depth = _ndimage.distance_transform_edt(np.pad(inner, 1), sampling=spacing)
    centre = [
        float(line.mean() + one.start) / size
        for line, one, size in zip(np.nonzero(inner), box, mask.shape, strict=True)
    ]
    return ClassFacts(
        value=value,
        voxels=int(inner.sum()),
        parts=int(count),
        part_voxels=quantiles(sizes),
        extent=tuple(n * float(mm) for n, mm in zip(lengths, spacing, strict=True)),
        thickness=4 * float(depth[depth > 0].mean()),
        centre=tuple(centre),
    )


def object_facts(numbered: NDArray[Any], spacing: Sequence[float]) -> ClassFacts:
    """Facts of the one class of a label whose values number objects; the number is its value."""
    facts = class_facts(1, numbered > 0, spacing)
    if facts.voxels == 0:
        return facts
    sizes = np.bincount(numbered.ravel().astype(np.int64))[1:]
    sizes = sizes[sizes > 0]
    boxes = [box for box in _ndimage.find_objects(numbered.astype(np.int64)) if box is not None]
    largest = max(boxes, key=lambda box: max(one.stop - one.start for one in box))
    return ClassFacts(
        value=1,
        voxels=facts.voxels,
        parts=len(sizes),
        part_voxels=quantiles(sizes),
        extent=tuple(
            (one.stop - one.start) * float(mm) for one, mm in zip(largest, spacing, strict=True)
        ),
        thickness=facts.thickness,
        centre=facts.centre,
    )


def touching_share(numbered: NDArray[Any]) -> float:
    """Share of the numbered objects that have a face in common with another."""
    touching: set[int] = set()
    for axis in range(numbered.ndim):
        one = np.swapaxes(numbered, 0, axis)
        here, there = one[:-1], one[1:]
        meet = (here != there) & (here > 0) & (there > 0)
        touching.update(np.unique(here[meet]).tolist(), np.unique(there[meet]).tolist())
    count = len(np.unique(numbered[numbered > 0]))
    return len(touching) / count if count else 0.0


def hole_sizes(mask: Mask) -> NDArray[np.int64]:
    """Voxels of each enclosed piece of background."""
    parts, _ = _ndimage.label(~mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    for axis in range(mask.ndim):
        sizes[np.unique(parts.take([0, -1], axis=axis))] = 0
    return sizes[sizes > 0]


def _box(mask: Mask) -> tuple[slice, ...] | None:
    box: list[slice] = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        there = np.flatnonzero(mask.any(axis=others))
        if there.size == 0:
            return None
        box.append(slice(int(there[0]), int(there[-1]) + 1))
    return tuple(box)


def _absent(value: int, axes: int) -> ClassFacts:
    return ClassFacts(
        value=value,
        voxels=0,
        parts=0,
        part_voxels=(),
        extent=(0.0,) * axes,
        thickness=0.0,
        centre=(0.0,) * axes,
    )
