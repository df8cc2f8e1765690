"""Resampling of irregular DICOM stacks: straighten tilted slices, interpolate gaps.

Slices keep their height wherever possible: a tilted stack is straightened by shifting each slice
within its own plane, which mixes values along rows and columns only, and slices that lie on the
regular grid are copied. Both interpolations are linear, and so exact for linear intensities.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.limits import require_voxels

__all__ = ["fill_gaps", "straighten"]

# Names in the errors.
STRAIGHTENED, FILLED = "DICOM series, straightened", "DICOM series, its gaps filled"
Floats = NDArray[np.float64]


def straighten(
    array: NDArray[np.int16] | NDArray[np.float32], affine: Floats, sideways_mm: Floats
) -> tuple[NDArray[np.float32], Floats]:
    """Shift each slice within its plane to its true position; the box grows to hold them all.

    Args:
        array: `(I, J, K)`.
        affine: `(4, 4)`, of the first slice, with its normal as third axis.
        sideways_mm: `(K, 2)`, offset of each slice from the first along I and J.

    Returns:
        `(I', J', K)`, padded with the smallest value, and its affine.

    Raises:
        InputError: If the box has more voxels than `max_voxels`.
    """
    pixel_mm = np.linalg.norm(affine[:3, :2], axis=0)
    shifts = sideways_mm / pixel_mm
    before = np.floor(shifts.min(axis=0)).astype(int)
    after = np.ceil(shifts.max(axis=0)).astype(int)
    columns, rows, slices = array.shape
    fill = float(array.min())
    shape = (slices, rows + after[1] - before[1], columns + after[0] - before[0])
    require_voxels(STRAIGHTENED, shape)
    out = np.full(shape, fill, np.float32).transpose(2, 1, 0)
    canvas = np.empty(out.shape[:2], np.float32)
    for k in range(slices):
        canvas[:] = fill
        canvas[:columns, :rows] = array[:, :, k]
        move = shifts[k] - before
        out[:, :, k] = ndimage.shift(canvas, move, order=1, mode="constant", cval=fill)
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :2] @ before
    return out, moved


def fill_gaps(
    array: NDArray[np.int16] | NDArray[np.float32], heights: Floats, tolerance: float
) -> tuple[NDArray[np.float32], tuple[int | None, ...]]:
    """Interpolate slices linearly to a regular grid.

    Args:
        array: `(I, J, K)`.
        heights: `(K,)`, in steps of the grid, ascending from 0.
        tolerance: In steps; slices this close to the grid are copied.

    Returns:
        `(I, J, K')`, and for each of its slices the index of the slice of `array` that it copies,
        or None if it is interpolated.

    Raises:
        InputError: If the grid has more voxels than `max_voxels`.
    """
    count = round(heights[-1]) + 1
    columns, rows, _ = array.shape
    require_voxels(FILLED, (columns, rows, count))
    out = np.empty((count, rows, columns), np.float32).transpose(2, 1, 0)
    taken: list[int | None] = []
    for place in range(count):
        near = int(np.abs(heights - place).argmin())
        if abs(heights[near] - place) <= tolerance:
            out[:, :, place] = array[:, :, near]
            taken.append(near)
            continue
        above = int(np.clip(np.searchsorted(heights, place), 1, len(heights) - 1))
        part = (place - heights[above - 1]) / (heights[above] - heights[above - 1])
        lower, upper = array[:, :, above - 1], array[:, :, above]
        out[:, :, place] = (1 - part) * lower + part * upper
        taken.append(None)
    return out, tuple(taken)
