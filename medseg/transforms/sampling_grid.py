"""Sampling grid of a warped patch, for `grid_sample`.

Affine map, flips and deformation are added at a few control points; a B-spline interpolates
the sum to the voxels in one step, already in the unit coordinates of torch's `grid_sample`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medseg.transforms.spline import basis, evaluate
from medseg.transforms.warp import Warp

__all__ = ["ControlPlaces", "PatchGrid", "control_places", "source_extent", "unit_grid"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PatchGrid:
    """Position and size of a patch in its volume, before it is warped.

    Attributes:
        start: First voxel along each axis; may lie outside the volume.
        size: Voxels along each axis.
        spacing_mm: Size of a voxel.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]

    @property
    def centre(self) -> Floats:
        """Centre of the patch, in voxels of the volume."""
        return np.asarray(self.start) + (np.asarray(self.size) - 1) / 2

    @property
    def extent_mm(self) -> tuple[float, ...]:
        """Size of the patch, from edge to edge."""
        return tuple(n * s for n, s in zip(self.size, self.spacing_mm, strict=True))


@dataclass(frozen=True)
class ControlPlaces:
    """Control points from which the voxels' sampling positions are interpolated.

    Attributes:
        places: `(n, *controls)`: sampling position of each control point, in voxels of the volume.
        bases: B-spline basis, one `(size, controls)` per axis of the patch.
    """

    places: Floats
    bases: tuple[Floats, ...]


def control_places(
    warp: Warp, grid: PatchGrid, spacing_mm: Sequence[float] | None = None
) -> ControlPlaces:
    """Evaluate affine map and deformation of a warp at its control points.

    Args:
        warp: For as many axes as the patch has.
        grid: The patch.
        spacing_mm: Control point spacing if the warp has none; None is one cell per axis.
    """
    spacing = warp.control_spacing_mm or spacing_mm or grid.extent_mm
    cells = [max(1, ceil(e / s)) for e, s in zip(grid.extent_mm, spacing, strict=True)]
    axes = [_steps(c + 3) * s for c, s in zip(cells, spacing, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"))
    if warp.displacement_mm is not None:
        points = points + warp.displacement_mm
    moved = np.tensordot(warp.matrix, points, axes=1)
    column = (-1, *(1,) * len(cells))
    millimetres = moved + warp.shift_mm.reshape(column)
    places = millimetres / np.reshape(grid.spacing_mm, column) + grid.centre.reshape(column)
    bases = tuple(
        basis(_steps(n) * (v / s) + c / 2, c)
        for n, v, s, c in zip(grid.size, grid.spacing_mm, spacing, cells, strict=True)
    )
    return ControlPlaces(places, bases)


def source_extent(control: ControlPlaces) -> tuple[Floats, Floats]:
    """Least and greatest sampling position of any voxel of the patch, `(n,)` each.

    A map without folding takes the patch's boundary to the boundary of its image, so only the
    six faces (four edges in 2-D) are evaluated.
    """
    low, high = np.full(len(control.places), np.inf), np.full(len(control.places), -np.inf)
    places = torch.as_tensor(control.places)
    for axis in range(len(control.bases)):
        bases = [b[[0, -1]] if a == axis else b for a, b in enumerate(control.bases)]
        face = evaluate(places, [torch.as_tensor(b) for b in bases]).flatten(1).numpy()
        low, high = np.minimum(low, face.min(axis=1)), np.maximum(high, face.max(axis=1))
    return low, high


def unit_grid(
    controls: Sequence[ControlPlaces],
    low: NDArray[np.int64],
    size: NDArray[np.int64],
    device: torch.device | str = "cpu",
) -> Tensor:
    """Grid for `grid_sample(..., align_corners=False)` on a box of the volume.

    Args:
        controls: One per element of the batch, all with the same number of control points.
        low: The box's first voxel.
        size: The box's voxels along each axis.
        device: Device of the grid.

    Returns:
        `(B, *size of the patch, n)`, float32; -1 and 1 are the box's outer faces, and the last
        axis runs from the last spatial axis to the first.
    """
    column = (-1, *(1,) * len(low))
    units = [
        (2 * (c.places - low.reshape(column)) + 1) / size.reshape(column) - 1 for c in controls
    ]
    coarse = torch.as_tensor(np.stack(units)[:, ::-1].astype(np.float32)).to(device)
    bases = [torch.as_tensor(b.astype(np.float32)).to(device) for b in controls[0].bases]
    return torch.movedim(evaluate(coarse, bases), 1, -1)


def _steps(count: int) -> Floats:
    """`count` positions with step 1, centred on 0."""
    return np.arange(count, dtype=np.float64) - (count - 1) / 2
