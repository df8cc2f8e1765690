"""How the grid a network works in lies in the grid an image came in.

A recipe turns axes and changes spacing, and no more: along each axis, an index of one grid is a
straight line in an index of the other. That is what lets labels be brought back one axis at a
time.
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

# Off-diagonal share of a turn that rounding leaves; a hundredth of a voxel over 1000 voxels.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class GridMap:
    """From a source's grid to the network's.

    Attributes:
        axes: For each axis of the network's grid, the source's axis along it.
        scale: Steps of the network's grid for one of the source's; negative where the axis
            runs the other way.
        offset: Where the source's first voxel lies in the network's grid.
        shape: The source's spatial shape.
    """

    axes: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    shape: tuple[int, ...]

    def places(self, axis: int) -> Floats:
        """Where the source's voxels lie along an axis of the network's grid, ascending."""
        steps = np.arange(self.shape[self.axes[axis]], dtype=np.float64)
        places: Floats = self.scale[axis] * steps + self.offset[axis]
        return np.sort(places)

    def turned(self, array: AnyArray) -> AnyArray:
        """A view of an array in the source's order, as the network's axes run, ascending.

        Args:
            array: `(..., *spatial)` of the source.
        """
        leading = array.ndim - len(self.axes)
        backwards = tuple(slice(None, None, -1 if scale < 0 else 1) for scale in self.scale)
        order = [*range(leading), *(leading + axis for axis in self.axes)]
        return array.transpose(order)[(..., *backwards)]

    def within(self, part: Part) -> tuple[slice, ...]:
        """Which places along each of the network's axes lie in a part of its grid.

        Beyond the grid's ends, places belong to the part that reaches them.
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
    """Find the map between two grids.

    Args:
        source_affine: `(n + 1, n + 1)`, voxel to millimetres.
        source_shape: Spatial shape, n axes.
        network_affine: The same for the network's grid.

    Raises:
        DataError: If one grid is turned against the other by other than quarter turns.
    """
    n = len(source_shape)
    between = np.linalg.inv(network_affine) @ source_affine
    turn = between[:n, :n]
    axes = np.abs(turn).argmax(axis=1)
    rest = turn.copy()
    rest[np.arange(n), axes] = 0
    if len(set(axes.tolist())) < n or np.abs(rest).max() > _ROUNDING * np.abs(turn).max():
        raise DataError(
            "the recipe turns the image against its own axes; labels cannot be brought back "
            "axis by axis: leave the rotation out of preprocessing_steps"
        )
    return GridMap(
        axes=tuple(int(axis) for axis in axes),
        scale=tuple(float(turn[i, axis]) for i, axis in enumerate(axes)),
        offset=tuple(float(value) for value in between[:n, n]),
        shape=tuple(source_shape),
    )
