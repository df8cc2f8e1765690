"""Deformation grid of a warp: contour lines of where each voxel came from.

Lines drawn into a volume would be blurred and broken by the warp. Voxel indices are smooth, survive
linear resampling unharmed, and their contour lines can be drawn at the resolution of the page.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Places", "grid_lines", "line_distance"]

Floats = NDArray[np.float32]

MOST_LINES = 16


class Places:
    """A lazy volume of its own voxel indices, one channel per axis; it takes no memory."""

    def __init__(self, spatial: Sequence[int]) -> None:
        """Set the spatial shape."""
        self.shape = (len(spatial), *spatial)
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, window: tuple[slice, ...]) -> Floats:
        """Voxel indices in a box: one slice for the channels, one for each axis."""
        axes = [
            np.arange(*part.indices(n), dtype=np.float32)
            for n, part in zip(self.shape[1:], window[1:], strict=True)
        ]
        return np.stack(np.meshgrid(*axes, indexing="ij"))[window[0]]


def line_distance(size: Sequence[int]) -> int:
    """Voxels between two lines: 8, doubled until at most 16 lines cross the patch.

    Args:
        size: Voxels of the patch along the two drawn axes.
    """
    distance = 8
    while max(size) > MOST_LINES * distance:
        distance *= 2
    return distance


def grid_lines(places: NDArray[Any], distance: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask of the grid lines in a picture.

    Args:
        places: `(n, rows, columns)`, voxel index that each pixel came from, along each axis of
            which lines are drawn.
        distance: Between lines, in voxels.
        size: Width and height of the picture.

    Returns:
        `(height, width)`, True on lines of one pixel.
    """
    lines = np.zeros(size[::-1], dtype=bool)
    for along in places:
        fine = Image.fromarray(along.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
        # Lines half-way between voxels: rounding cannot move an integer index across one.
        cell = np.floor((np.asarray(fine) + 0.5) / distance)
        lines[:, 1:] |= cell[:, 1:] != cell[:, :-1]
        lines[1:] |= cell[1:] != cell[:-1]
    return lines
