"""Grid of a predicted label: that of the network's image, or that of the source image.

A single slice comes from a file with three axes but is a 2-D image for the network; its label gets
three axes again, whichever of the source's axes is the one of a single voxel.
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
    """The grid of a label.

    Attributes:
        affine: Voxel indices to mm, or None for an image without an affine.
        map: Map from the network's grid; None if the label stays in that grid.
        slice_axis: Axis of the source that the network's image lacks, or None.
    """

    affine: Floats | None = None
    map: GridMap | None = None
    slice_axis: int | None = None

    def with_slice_axis(self, label: NDArray[Any]) -> NDArray[Any]:
        """Add the axis that the network's image lacks to its label."""
        return label if self.slice_axis is None else np.expand_dims(label, self.slice_axis)


def label_place(inputs: Tensor, target: Grid) -> Place:
    """Determine the grid of the label of an image.

    Args:
        inputs: `(1, C, *spatial)`; a `MetaTensor` for a label in the source's grid.
        target: Grid of the label.

    Raises:
        ValueError: If the target is the source's grid, but the image has no metadata.
        DataError: If the grids are rotated against each other, see `map_grids`, or the image has
            two axes and its source three, none of which has a single voxel.
    """
    if not isinstance(inputs, MetaTensor):
        if target == "source":
            raise ValueError("inputs must be a MetaTensor for a label in the source's grid")
        return Place()
    network = _matrix(inputs.affine)
    if target == "network":
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
    """Metadata of an image, which describe its source."""
    return cast("Any", inputs).meta


def _slice_axis(shape: list[int], source: Floats) -> int:
    """The axis with one voxel; if there are several, the one closest to the head-foot direction."""
    single = [axis for axis, voxels in enumerate(shape) if voxels == 1]
    if not single:
        raise DataError(f"a slice must have an axis of one voxel, got shape {tuple(shape)}")
    return max(single, key=lambda axis: float(np.abs(source[2, axis])))


def _matrix(affine: Any) -> Floats:
    matrix = np.asarray(affine, dtype=np.float64)
    return matrix.reshape(matrix.shape[-2:])
