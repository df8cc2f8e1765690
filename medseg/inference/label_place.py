"""Where a label belongs: in the grid of the network's image, or in that of the image's source.

A slice comes in a file of three axes and is an image of two to the network; its label is one of
three again, whichever of the source's axes the slice was cut across.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from monai.data.meta_tensor import MetaTensor
from numpy.typing import NDArray
from torch import Tensor

from medseg.errors import DataError
from medseg.inference.grid_map import GridMap, map_grids

__all__ = ["Grid", "Place", "label_place", "meta_of"]

Grid = Literal["source", "network"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """What is known of the grid that a label is wanted in.

    Attributes:
        affine: Voxel indices to mm, or none for an image that knows none.
        map: The way there from the network's grid; none if it is that one.
        slice_axis: The source's axis that the network's image lacks, if it lacks one.
    """

    affine: Floats | None = None
    map: GridMap | None = None
    slice_axis: int | None = None

    def with_slice_axis(self, label: NDArray[Any]) -> NDArray[Any]:
        """A label with the source's number of axes."""
        return label if self.slice_axis is None else np.expand_dims(label, self.slice_axis)


def label_place(inputs: Tensor, wanted: Grid) -> Place:
    """Find out from an image where its label belongs.

    Args:
        inputs: `(1, C, *spatial)`; a `MetaTensor` for a label in the source's grid.
        wanted: Which grid the label is wanted in.

    Raises:
        ValueError: If the source is wanted of an image that remembers none.
        DataError: If the grids are turned against each other, see `map_grids`, or the image is
            of two axes and its source of three, none of which has a single voxel.
    """
    if not isinstance(inputs, MetaTensor):
        if wanted == "source":
            raise ValueError("inputs must be a MetaTensor for a label in the source's grid")
        return Place()
    network = _matrix(inputs.affine)
    if wanted == "network":
        return Place(affine=network)
    meta = meta_of(inputs)
    axes = inputs.ndim - 2
    source = _matrix(meta["original_affine"])
    shape = [int(n) for n in np.ravel(np.asarray(meta["spatial_shape"]))]
    lacking = _slice_axis(shape, source) if len(shape) == axes + 1 else None
    kept = [axis for axis in range(len(shape)) if axis != lacking][:axes]
    rows = [*range(axes), -1]
    grid = map_grids(
        source[rows][:, [*kept, -1]], [shape[axis] for axis in kept], network[rows][:, rows]
    )
    return Place(affine=source, map=grid, slice_axis=lacking)


def meta_of(inputs: MetaTensor) -> dict[str, Any]:
    """What an image remembers of its source."""
    return cast("Any", inputs).meta


def _slice_axis(shape: list[int], source: Floats) -> int:
    """The axis of one voxel; of several, the one that points most to the head."""
    single = [axis for axis, voxels in enumerate(shape) if voxels == 1]
    if not single:
        raise DataError(f"a slice must have an axis of one voxel, got shape {tuple(shape)}")
    return max(single, key=lambda axis: float(np.abs(source[2, axis])))


def _matrix(affine: Any) -> Floats:
    matrix = np.asarray(affine, dtype=np.float64)
    return matrix.reshape(matrix.shape[-2:])
