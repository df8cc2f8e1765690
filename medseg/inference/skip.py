"""Which part of a volume cannot matter, so that the network need not see it.

A bundle declares the rule, since only its recipe knows what air looks like. Windows are laid over
the box of what matters, not over the whole volume, and those in it that hold nothing of it are
left out. A voxel in no window that is run becomes background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from torch import Tensor

from medseg.inference.body import BLOCK, Mask, Trunk, find_trunk, parts_of, with_rim
from medseg.inference.region import Box, Region, whole

__all__ = ["AroundLungs", "ConstantWindows", "OutsideBody"]


@dataclass(frozen=True)
class ConstantWindows:
    """Skip windows in which every voxel has one value, such as what was filled around a scan."""

    def __call__(self, volume: Tensor) -> Region:
        """Look at a volume `(C, *spatial)` once."""

        def wanted(box: Sequence[slice]) -> bool:
            window = volume[(slice(None), *box)].flatten(1)
            return bool((window.amin(dim=1) != window.amax(dim=1)).any())

        return Region(whole(volume.shape[1:]).box, wanted)


@dataclass(frozen=True, kw_only=True)
class OutsideBody:
    """Skip what holds nothing of the body.

    The body is the largest connected part of the image above a threshold, with all that it
    encloses in a slice and a rim of one block of 4 voxels; table and blankets go with the air.

    Attributes:
        above: What is brighter than this belongs to the body, in the recipe's intensities.
        slice_axis: Spatial axis across which slices are filled, the long axis of the body.
    """

    above: float
    slice_axis: int = 2

    def __call__(self, volume: Tensor) -> Region:
        """Look at a volume `(1, I, J, K)` once; without a body in it, all of it matters."""
        trunk = find_trunk(volume[0].cpu(), above=self.above, slice_axis=self.slice_axis)
        shape = volume.shape[1:]
        return whole(shape) if trunk is None else _around_body(trunk, shape)


@dataclass(frozen=True, kw_only=True)
class AroundLungs:
    """Skip what is not near the lungs, for networks that label nothing elsewhere.

    Lungs are the air that the body encloses in a slice, in parts of at least `part_ml`. A lung that
    holds no air is held by the other one: the box is as wide to both sides of the body's middle.
    With less than `least_ml` of air, or where no body is found, `OutsideBody` decides.

    Attributes:
        above: What is brighter than this belongs to the body, in the recipe's intensities.
        spacing_mm: Voxel size of the network's grid.
        margin_mm: What is held around the air: chest wall, diaphragm, and lung without air.
        least_ml: Air that there must be, in all.
        part_ml: Air of a part that counts; gas of the bowel is mostly less.
        slice_axis: Spatial axis across which slices are filled, the long axis of the body.
        lateral_axis: Spatial axis from one side of the patient to the other.
    """

    above: float
    spacing_mm: Sequence[float]
    margin_mm: float = 30.0
    least_ml: float = 500.0
    part_ml: float = 20.0
    slice_axis: int = 2
    lateral_axis: int = 0

    def __call__(self, volume: Tensor) -> Region:
        """Look at a volume `(1, I, J, K)` once."""
        trunk = find_trunk(volume[0].cpu(), above=self.above, slice_axis=self.slice_axis)
        shape = volume.shape[1:]
        if trunk is None:
            return whole(shape)
        block_ml = prod(self.spacing_mm) * BLOCK**3 / 1000
        lungs = np.zeros_like(trunk.air)
        for part in parts_of(trunk.air, ceil(self.part_ml / block_ml)):
            lungs |= part
        if lungs.sum() * block_ml < self.least_ml:
            return _around_body(trunk, shape)
        return Region(self._box(lungs, trunk.body, shape), lambda _: True)

    def _box(self, lungs: Mask, body: Mask, shape: Sequence[int]) -> Box:
        ends = _ends(lungs)
        left, right = _ends(body)[self.lateral_axis]
        low, high = ends[self.lateral_axis]
        ends[self.lateral_axis] = min(low, left + right - high), max(high, left + right - low)
        margins = [ceil(self.margin_mm / step / BLOCK) for step in self.spacing_mm]
        grown = [(low - m, high + m) for (low, high), m in zip(ends, margins, strict=True)]
        return _voxels(grown, shape)


def _around_body(trunk: Trunk, shape: Sequence[int]) -> Region:
    body = with_rim(trunk.body)

    def wanted(box: Sequence[slice]) -> bool:
        coarse = tuple(slice(b.start // BLOCK, -(-b.stop // BLOCK)) for b in box)
        return bool(body[coarse].any())

    return Region(_voxels(_ends(body), shape), wanted)


def _ends(mask: Mask) -> list[tuple[int, int]]:
    """First and one past the last block of each axis."""
    others = [tuple(a for a in range(mask.ndim) if a != axis) for axis in range(mask.ndim)]
    found = [np.flatnonzero(mask.any(axis=axes)) for axes in others]
    return [(int(places[0]), int(places[-1]) + 1) for places in found]


def _voxels(ends: Sequence[tuple[int, int]], shape: Sequence[int]) -> Box:
    axes = zip(ends, shape, strict=True)
    return tuple(slice(max(low * BLOCK, 0), min(high * BLOCK, size)) for (low, high), size in axes)
