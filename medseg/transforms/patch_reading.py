"""Patch reading: crop a box from an array or a lazy file, padding where it leaves the volume.

A volume is anything with `shape` and slicing: an array, a tensor, a lazy view of a file. Only the
voxels in the box are read.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Padding", "Volume", "cut_patch", "read_box"]

Padding = Literal["border", "reflection", "zeros"]


class Volume(Protocol):
    """A prepared image, `(C, *spatial)`, in memory or on disk."""

    @property
    def shape(self) -> Sequence[int]:
        """`(C, *spatial)`."""
        ...

    def __getitem__(self, key: Any, /) -> Any:
        """The voxels in a tuple of slices."""
        ...


def read_box(volume: Volume, low: Sequence[int], high: Sequence[int]) -> Tensor:
    """Read the box from `low` to `high`, exclusive.

    Args:
        volume: `(C, *spatial)`.
        low: First voxel along each spatial axis, inside the volume.
        high: End along each spatial axis, exclusive, inside the volume.

    Returns:
        `(C, *(high - low))`, of the volume's dtype; memory is shared where that is possible.
    """
    window = (slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))
    box = volume[window]
    if isinstance(box, Tensor):
        return box.as_subclass(Tensor)
    return torch.as_tensor(_native(np.asarray(box)))


def cut_patch(
    volume: Volume, start: Sequence[int], size: Sequence[int], padding: Padding
) -> Tensor:
    """Crop a patch without interpolation, padding it where it leaves the volume.

    Args:
        volume: `(C, *spatial)`.
        start: First voxel of the patch along each axis; may lie outside.
        size: Voxels along each axis; may exceed the volume's.
        padding: Values outside the volume: the nearest voxel, the mirror image, or 0.

    Returns:
        `(C, *size)`, of the volume's dtype, a copy.
    """
    indices = [
        _fold(np.arange(first, first + extent), length, padding)
        for first, extent, length in zip(start, size, volume.shape[1:], strict=True)
    ]
    low = [int(index.min()) for index in indices]
    high = [int(index.max()) + 1 for index in indices]
    patch = read_box(volume, low, high)
    for axis, (index, first) in enumerate(zip(indices, low, strict=True)):
        if len(index) != patch.shape[1 + axis] or (np.diff(index) != 1).any():
            patch = patch.index_select(1 + axis, torch.as_tensor(index - first))
    if padding == "zeros":
        return _blank_outside(patch.clone(), start, volume.shape[1:])
    return patch.clone(memory_format=torch.contiguous_format)


def _fold(index: NDArray[np.int64], length: int, padding: Padding) -> NDArray[np.int64]:
    if padding != "reflection":
        return np.clip(index, 0, length - 1)
    # Mirrored at the outer faces of the edge voxels: ... 1 0 | 0 1 2 | 2 1 ...
    period = index % (2 * length)
    return np.minimum(period, 2 * length - 1 - period)


def _blank_outside(patch: Tensor, start: Sequence[int], shape: Sequence[int]) -> Tensor:
    for axis, (first, length) in enumerate(zip(start, shape, strict=True)):
        size = patch.shape[1 + axis]
        before = min(max(0, -first), size)
        after = min(max(0, first + size - length), size)
        patch.narrow(1 + axis, 0, before).zero_()
        patch.narrow(1 + axis, size - after, after).zero_()
    return patch


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """The array in a form that torch accepts: native byte order, writable, no negative strides."""
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    usable = array.flags.writeable and min(array.strides, default=0) >= 0
    return array if usable else array.copy()
