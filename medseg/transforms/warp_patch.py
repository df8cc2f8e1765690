"""Warped patch extraction: one sampling grid for all keys, reading only the voxels needed.

The cost depends on the size of the patch, not of the volume. A plan is made once and used for
image, label and weights alike, so that they stay aligned.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from medseg._checks import require_choice
from medseg.errors import UsageError
from medseg.transforms.cpu_sampling import gather_nearest, sample_linear
from medseg.transforms.cubic_sampling import sample_cubic
from medseg.transforms.patch_reading import Padding, Volume, cut_patch, read_box
from medseg.transforms.sampling_grid import (
    PatchGrid,
    control_places,
    source_extent,
    unit_grid,
)
from medseg.transforms.warp import Warp

__all__ = ["Interpolation", "PatchPlan", "plan_patch", "require_modes", "resample", "warp_patch"]

Interpolation = Literal["linear", "cubic", "nearest", "argmax"]


def require_modes(owner: str, modes: Sequence[str], keys: Sequence[Hashable]) -> None:
    """Refuse unknown modes, or other than one per key.

    Raises:
        UsageError: It names the transform.
    """
    if len(modes) != len(keys):
        raise UsageError(f"{owner}: modes must be one a key, got {modes} for keys {list(keys)}")
    for mode in modes:
        require_choice(f"{owner}: modes", mode, get_args(Interpolation))


@dataclass(frozen=True)
class PatchPlan:
    """How to extract one patch from volumes of one shape.

    Attributes:
        grid: The patch before it is warped.
        padding: Values outside the volume.
        flips: Axes to mirror if nothing else is to be done; the attributes below are then unused.
        low: First voxel along each axis of the box to read.
        high: End of that box, exclusive.
        units: Sampling grid within the box, for `grid_sample`.
    """

    grid: PatchGrid
    padding: Padding
    flips: tuple[int, ...] | None = None
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()
    units: Tensor | None = None


def plan_patch(
    shape: Sequence[int], grid: PatchGrid, warp: Warp, padding: Padding = "border"
) -> PatchPlan:
    """Plan a warped patch: which box of the volume to read, and where to sample in it.

    Args:
        shape: Spatial shape of the volume, 2 or 3 axes.
        grid: Where the patch lies.
        warp: How it is deformed about its centre.
        padding: Values outside the volume: the nearest voxel, the mirror image, or 0.
    """
    if warp.flips is not None:
        return PatchPlan(grid, padding, flips=warp.flips)
    control = control_places(warp, grid)
    low, high = _box(*source_extent(control), np.asarray(shape), padding)
    return PatchPlan(
        grid,
        padding,
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        units=unit_grid([control], low, high - low),
    )


def warp_patch(volume: Volume, plan: PatchPlan, interpolation: Interpolation) -> Tensor:
    """Extract one warped patch.

    A warp that leaves voxels on the grid (identity, flips) copies them exactly.

    Args:
        volume: `(C, *spatial)` of the shape given to `plan_patch`.
        plan: Made by `plan_patch`.
        interpolation: See `resample`.

    Returns:
        `(C, *size)`; float32 for `linear` and `cubic`. Labels keep their integer type where
        torch computes with it, else become int32.
    """
    if plan.units is None:
        patch = cut_patch(volume, plan.grid.start, plan.grid.size, plan.padding)
        patch = patch.flip([1 + axis for axis in plan.flips or ()]) if plan.flips else patch
    else:
        box = read_box(volume, plan.low, plan.high)
        patch = resample(box[None], plan.units, interpolation, plan.padding)[0]
    return patch.float() if interpolation in ("linear", "cubic") else _as_label(patch)


def resample(
    volumes: Tensor, units: Tensor, interpolation: Interpolation, padding: Padding
) -> Tensor:
    """Sample volumes at the positions of a grid.

    Args:
        volumes: `(B, C, *spatial)`, any dtype.
        units: `(B, *size, n)`, see `unit_grid`.
        interpolation: `linear` or `cubic` for intensities; for labels `nearest`, or `argmax`: the
            class whose linearly interpolated one-hot channel is greatest, which is smoother and
            costs one pass per class present.
        padding: Values outside the volume.

    Returns:
        `(B, C, *size)`, float32, or for labels the volumes' dtype.
    """
    if interpolation == "argmax":
        return _argmax(volumes, units, padding)
    own = _own_sampler(volumes, interpolation, padding)
    if own is not None:
        return torch.stack([own(v, u) for v, u in zip(volumes, units, strict=True)])
    mode = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}[interpolation]
    sampled = grid_sample(volumes.float(), units, mode, padding, align_corners=False)
    return sampled if interpolation != "nearest" else sampled.to(volumes.dtype)


def _own_sampler(
    volumes: Tensor, interpolation: Interpolation, padding: Padding
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Our own sampler where torch has none, or a slower one; else None."""
    if interpolation == "cubic" and volumes.ndim == 5:
        return lambda volume, units: sample_cubic(volume, units, padding)
    if volumes.device.type != "cpu" or padding != "border":
        return None
    if interpolation == "nearest" and volumes.ndim == 5:
        return gather_nearest
    if interpolation == "linear" and volumes.ndim == 5 and volumes.shape[2] > 1:
        return lambda volume, units: sample_linear(volume.float().contiguous(), units)
    return None


def _argmax(label: Tensor, units: Tensor, padding: Padding) -> Tensor:
    # One class at a time, against the best so far: no one-hot array of all classes in memory.
    classes = cast("list[float]", torch.unique(label).tolist())  # pyright: ignore[reportUnknownMemberType] - torch leaves tolist untyped
    best = chosen = None
    for value in classes:
        share = grid_sample(
            (label == value).float(), units, "bilinear", padding, align_corners=False
        )
        if best is None or chosen is None:
            best, chosen = share, torch.full_like(share, value)
            continue
        wins = share > best
        chosen.masked_fill_(wins, value)
        best = torch.where(wins, share, best)
    chosen = torch.zeros(0) if chosen is None else chosen
    return chosen.to(label.dtype)


def _box(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    shape: NDArray[np.int64],
    padding: Padding,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bounding box of the voxels that sampling reads, with a margin of one voxel."""
    first = np.floor(low).astype(np.int64) - 1
    end = np.ceil(high).astype(np.int64) + 2
    if padding == "reflection":
        # Positions beyond a face of the volume read their mirror image, which must be in the box.
        first, end = (
            np.where(end > shape, np.minimum(first, 2 * shape - end), first),
            np.where(first < 0, np.maximum(end, -first), end),
        )
    first = np.clip(first, 0, shape - 1)
    return first, np.maximum(np.clip(end, 1, shape), first + 1)


def _as_label(patch: Tensor) -> Tensor:
    plain = (torch.uint8, torch.int16, torch.int32, torch.int64)
    if patch.dtype in plain:
        return patch
    # Rounded, as a conversion alone makes 0 of 0.9999999.
    return (patch.round() if patch.is_floating_point() else patch).to(torch.int32)
