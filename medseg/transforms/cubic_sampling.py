"""Cubic interpolation of volumes, which torch's `grid_sample` lacks.

A volume is viewed as a 2-D image of four channels, each one slice ahead of the one before, whose
rows are those of all slices: torch's 2-D form interpolates four neighbouring slices at once, and
only their weighted sum is left to compute. The volume is padded first.

Reference:
    Keys R., Cubic convolution interpolation for digital image processing, IEEE TASSP 1981,
    https://doi.org/10.1109/TASSP.1981.1163711; with a = -0.75, as torch has it.
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from medseg.transforms.patch_reading import Padding, cut_patch

__all__ = ["sample_cubic"]

# Voxels read by a position just outside, and one more slice for the four of a slab.
_MARGIN = 4
# Parameter of Keys's kernel.
_A = -0.75


def sample_cubic(volume: Tensor, units: Tensor, padding: Padding) -> Tensor:
    """Tricubic interpolation, as `grid_sample`'s `bicubic` in three dimensions.

    Args:
        volume: `(C, I, J, K)`, any real dtype.
        units: `(*size, 3)`, see `medseg.transforms.sampling_grid.unit_grid`.
        padding: Values outside the volume.

    Returns:
        `(C, *size)`, float32. Values may overshoot the volume's own range a little.
    """
    shape = volume.shape[1:]
    start, size = [-_MARGIN] * 3, [n + 2 * _MARGIN for n in shape]
    wide = cut_patch(volume, start, size, padding).float().contiguous()
    patch = wide.new_empty((len(volume), *units.shape[:-1]))
    # One slice of the patch at a time, so that it needs few of the volume's slices.
    for index, slice_units in enumerate(units):
        places = [_places(slice_units[..., 2 - axis], n, padding) for axis, n in enumerate(shape)]
        for channel, into in zip(wide, patch, strict=True):
            into[index] = _sample_slice(channel, places)
    return patch


def _places(units: Tensor, length: int, padding: Padding) -> Tensor:
    """Voxel coordinates in the padded volume of units in [-1, 1]."""
    voxels = (units * (length / 2)).add_((length - 1) / 2)
    if padding == "reflection":
        # Mirroring the position is the same as mirroring the volume.
        voxels = (voxels + 0.5).remainder_(2 * length)
        voxels = torch.where(voxels > length, 2 * length - voxels, voxels) - 0.5
    # Further out, values are constant.
    return voxels.clamp_(-2, length + 1).add_(_MARGIN)


def _sample_slice(volume: Tensor, places: list[Tensor]) -> Tensor:
    depth, row, column = places
    _, rows, columns = volume.shape
    below = depth.floor()
    base, last = int(below.min()), int(below.max())
    count = (last - base + 1) * rows
    row = (below - base).mul_(rows).add_(row)
    grid = torch.stack([_unit(column, columns), _unit(row, count)], dim=-1)[None]
    step = rows * columns
    start = volume.storage_offset() + (base - 1) * step
    four = volume.as_strided((1, 4, count, columns), (0, step, columns, 1), start)
    slices = grid_sample(four, grid, "bicubic", "border", align_corners=False)[0]
    return sum(
        (weight * one for weight, one in zip(_weights(depth - below), slices, strict=True)),
        start=torch.zeros_like(depth),
    )


def _unit(voxels: Tensor, length: int) -> Tensor:
    return voxels.mul(2).add_(1).div_(length).sub_(1)


def _weights(share: Tensor) -> list[Tensor]:
    """Weights of the slices at -1, 0, 1 and 2, for a position between 0 and 1."""
    return [_far(share + 1), _near(share), _near(1 - share), _far(2 - share)]


def _near(distance: Tensor) -> Tensor:
    return ((_A + 2) * distance - (_A + 3)) * distance**2 + 1


def _far(distance: Tensor) -> Tensor:
    return ((_A * distance - 5 * _A) * distance + 8 * _A) * distance - 4 * _A
