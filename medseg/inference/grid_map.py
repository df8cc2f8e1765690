"""Map between the grid of the network's image and that of the source image.

A recipe only permutes and flips axes and changes the spacing: along each axis, an index of one grid
is a linear function of an index of the other. So labels can be resampled back one axis at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.errors import DataError
from medseg.inference.region import Part

__all__ = ["GridMap", "map_grids"]

Floats = NDArray[np.float64]
AnyArray = NDArray[Any]

# Relative off-diagonal entries up to here are rounding: a hundredth of a voxel over 1000 voxels.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class GridMap:
    """Axis-wise linear map from a source's grid to the network's.

    Attributes:
        axes: For each axis of the network's grid, the parallel axis of the source.
        scale: Network voxels per source voxel; negative if the axes have opposite directions.
        offset: Position of the source's first voxel in the network's grid.
        shape: The source's spatial shape.
    """

    axes: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    shape: tuple[int, ...]

    def places(self, axis: int) -> Floats:
        """Positions of the source's voxels along an axis of the network's grid, ascending."""
        steps = np.arange(self.shape[self.axes[axis]], dtype=np.float64)
        places: Floats = self.scale[axis] * steps + self.offset[axis]
        return np.sort(places)

    def turned(self, array: AnyArray) -> AnyArray:
        """A view of a source array in the network's axis order and directions.

        Args:
            array: `(..., *spatial)` of the source.
        """
        leading = array.ndim - len(self.axes)
        backwards = tuple(slice(None, None, -1 if scale < 0 else 1) for scale in self.scale)
        order = [*range(leading), *(leading + axis for axis in self.axes)]
        return array.transpose(order)[(..., *backwards)]

    def within(self, part: Part) -> tuple[slice, ...]:
        """Ranges of `places` along each of the network's axes that lie in a part of its grid.

        Positions beyond the grid's ends belong to the part at that end.
        """
        ranges: list[slice] = []
        for axis, (side, size) in enumerate(zip(part.box, part.shape, strict=True)):
            low = -np.inf if side.start == 0 else side.start - 0.5
            high = np.inf if side.stop == size else side.stop - 0.5
            first, last = np.searchsorted(self.places(axis), (low, high))
            ranges.append(slice(int(first), int(last)))
        return tuple(ranges)


def map_grids(
    source_affine: Floats, source_shape: Sequence[int], network_affine: Floats
) -> GridMap:
    """Compute the map between two grids.

    Args:
        source_affine: `(n + 1, n + 1)`, voxel to millimetres.
        source_shape: Spatial shape, n axes.
        network_affine: The same for the network's grid.

    Raises:
        DataError: If the grids are rotated against each other other than by multiples of 90°.
    """
    n = len(source_shape)
    between = np.linalg.inv(network_affine) @ source_affine
    turn = between[:n, :n]
    axes = np.abs(turn).argmax(axis=1)
    rest = turn.copy()
    rest[np.arange(n), axes] = 0
    if len(set(axes.tolist())) < n or np.abs(rest).max() > _ROUNDING * np.abs(turn).max():
        raise DataError(
            "the recipe rotates the image against its own axes, so labels cannot be resampled back "
            "axis by axis; remove the rotation from preprocessing_steps"
        )
    return GridMap(
        axes=tuple(int(axis) for axis in axes),
        scale=tuple(float(turn[i, axis]) for i, axis in enumerate(axes)),
        offset=tuple(float(value) for value in between[:n, n]),
        shape=tuple(source_shape),
    )
