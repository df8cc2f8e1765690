"""Linear resampling of a volume to the grid of another, and how much of their places is common."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["SAME_GRID_MM", "overlap", "resampled"]

Floats = NDArray[np.float64]

# Rounding of affines to 32 bit and to DICOM's decimal strings stays below this.
SAME_GRID_MM = 0.01
# Off-diagonal entries, relative to the scale, up to here are rounding.
_ROUNDING = 1e-5
_SAMPLES = 24
_CHUNK = 16


def overlap(
    affine: Floats, shape: Sequence[int], other: Floats, other_shape: Sequence[int]
) -> float:
    """Share of a volume's field of view that lies in another's, from 0 to 1.

    Args:
        affine: `(4, 4)`, voxel indices to mm, RAS+.
        shape: `(I, J, K)`.
        other: Likewise, of the other volume.
        other_shape: Likewise.
    """
    sides = [(np.arange(_SAMPLES) + 0.5) / _SAMPLES * size - 0.5 for size in shape]
    places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 3)
    turn, shift = _between(affine, other)
    there = places @ turn.T + shift
    # A voxel reaches half its edge beyond its centre.
    inside = (there >= -0.5 - 1e-6) & (there <= np.asarray(other_shape) - 0.5 + 1e-6)
    return float(inside.all(axis=1).mean())


def resampled(
    array: NDArray[Any], affine: Floats, to_affine: Floats, to_shape: Sequence[int]
) -> NDArray[Any]:
    """A volume in another grid, by linear interpolation.

    Args:
        array: `(I, J, K)`.
        affine: `(4, 4)`, voxel indices to mm, RAS+.
        to_affine: Of the other grid.
        to_shape: `(I', J', K')`.

    Returns:
        `(I', J', K')` float32; the array itself if it has that grid already. Voxels outside of the
        volume have its least value, or 0 if that is above: no signal, air in HU.
    """
    if tuple(to_shape) == array.shape and _gap_mm(affine, to_affine, to_shape) <= SAME_GRID_MM:
        return array
    turn, shift = _between(to_affine, affine)
    order = _axes_order(turn)
    if order is not None:
        return _along_axes(array, turn, shift, order, to_shape)
    source = array.astype(np.float32, copy=False)
    out = cast("Any", ndimage).affine_transform(
        source, turn, shift, tuple(to_shape), order=1, mode="nearest"
    )
    low = min(0.0, float(source.min()))
    for rows, there in _places(turn, shift, to_shape):
        outside = ((there < -0.5) | (there > np.asarray(array.shape) - 0.5)).any(axis=-1)
        out[rows][outside] = low
    return out


def _between(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Matrix and shift from voxel indices of one grid to those of another."""
    both = np.linalg.inv(target) @ source
    return both[:3, :3], both[:3, 3]


def _gap_mm(one: Floats, other: Floats, shape: Sequence[int]) -> float:
    ends = np.indices((2, 2, 2)).reshape(3, 8) * (np.asarray(shape)[:, None] - 1)
    gaps = (one - other)[:3, :3] @ ends + (one - other)[:3, 3:]
    return float(np.linalg.norm(gaps, axis=0).max())


def _axes_order(turn: Floats) -> tuple[int, int, int] | None:
    """For each axis of the source, the axis of the target along it; None if they are oblique."""
    i, j, k = (int(axis) for axis in np.abs(turn).argmax(axis=1))
    if sorted((i, j, k)) != [0, 1, 2]:
        return None
    rest = turn.copy()
    rest[[0, 1, 2], [i, j, k]] = 0
    return (i, j, k) if np.abs(rest).max() <= _ROUNDING * np.abs(turn).max() else None


def _along_axes(
    array: NDArray[Any], turn: Floats, shift: Floats, order: Sequence[int], shape: Sequence[int]
) -> NDArray[np.float32]:
    """Interpolate one axis after the other, which takes a part of the time of eight neighbours."""
    low = min(0.0, float(array.min()))
    places = [turn[a, order[a]] * np.arange(shape[order[a]]) + shift[a] for a in range(3)]
    # Axes that lose most voxels first, so that less is left for the others.
    values: NDArray[Any] = array
    for axis in sorted(range(3), key=lambda a: len(places[a]) / array.shape[a]):
        values = _along(values, axis, places[axis])
    values = values.astype(np.float32, copy=False)
    for axis, there in enumerate(places):
        outside = (there < -0.5) | (there > array.shape[axis] - 0.5)
        np.moveaxis(values, axis, 0)[outside] = low
    return np.ascontiguousarray(values.transpose(np.argsort(order)))


def _along(values: NDArray[Any], axis: int, places: Floats) -> NDArray[np.float32]:
    size = values.shape[axis]
    inside = np.clip(places, 0, size - 1)
    low = np.minimum(np.floor(inside).astype(np.int64), max(size - 2, 0))
    share = (inside - low).astype(np.float32)
    share = share.reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    below: NDArray[np.float32] = values.take(low, axis).astype(np.float32)
    above = values.take(np.minimum(low + 1, size - 1), axis).astype(np.float32)
    below += share * (above - below)
    return below


def _places(
    turn: Floats, shift: Floats, shape: Sequence[int]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield, for a few planes at a time, where their voxels lie in the source."""
    j, k = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    plane = j[..., None] * turn[:, 1] + k[..., None] * turn[:, 2] + shift
    for first in range(0, shape[0], _CHUNK):
        i = np.arange(first, min(first + _CHUNK, shape[0]))
        yield slice(first, i[-1] + 1), plane + (i[:, None] * turn[:, 0])[:, None, None, :]
