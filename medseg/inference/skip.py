"""Skip rules: parts of a volume, such as air, on which the network is not run.

A bundle chooses the rule, since its recipe determines what air looks like. Windows cover only the
bounding box of the relevant part, and those that contain nothing of it are skipped. Voxels that are
in no window that is run become background.

Thresholds are in HU. A recipe's intensities are a share of its window, so the rules take that
window as well: 0.42 is -500 HU in [-1000, 200], and fat in [-112, 161].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, prod

import numpy as np
from torch import Tensor

from medseg._checks import require_number, require_span
from medseg.errors import UsageError
from medseg.inference.body import BLOCK, Mask, Trunk, find_trunk, parts_of, with_rim
from medseg.inference.region import Box, Region, whole

__all__ = ["AroundLungs", "ConstantWindows", "OutsideBody"]


@dataclass(frozen=True)
class ConstantWindows:
    """Skip windows of constant intensity, such as padding around a scan."""

    def __call__(self, volume: Tensor) -> Region:
        """Return the region of a volume `(C, *spatial)`."""

        def should_run(box: Sequence[slice]) -> bool:
            window = volume[(slice(None), *box)].flatten(1)
            return bool((window.amin(dim=1) != window.amax(dim=1)).any())

        return Region(whole(volume.shape[1:]).box, should_run)


@dataclass(frozen=True, kw_only=True)
class OutsideBody:
    """Skip windows outside the body.

    The body is the largest connected component above a threshold, filled slice by slice and dilated
    by one block of 4 voxels; table and blankets count as air.

    Attributes:
        above_hu: Threshold of the body in HU. Where the window does not hold it, the body's edge
            cannot be seen, and nothing is skipped.
        window: `(low, high)` in HU, which the recipe makes 0 and 1: that of the weights.
        slice_axis: Spatial axis perpendicular to the slices that are filled: the long axis of the
            body.

    Raises:
        UsageError: If a threshold or a window is no such value.
    """

    above_hu: float
    window: Sequence[float]
    slice_axis: int = 2

    def __post_init__(self) -> None:
        _require_hu("OutsideBody", self.above_hu, self.window)

    def __call__(self, volume: Tensor) -> Region:
        """Return the region of a volume `(1, I, J, K)`; all of it if no body is found."""
        trunk = _trunk(volume, self.above_hu, self.window, self.slice_axis)
        shape = volume.shape[1:]
        return whole(shape) if trunk is None else _around_body(trunk, shape)


@dataclass(frozen=True, kw_only=True)
class AroundLungs:
    """Skip windows that are not near the lungs, for networks that label nothing elsewhere.

    Lungs are the air enclosed by the body in a slice, in connected components of at least
    `part_ml`. The box is symmetric about the middle of the body, so that a lung without air is
    included. With less than `least_ml` of air `OutsideBody` is used instead; if no body is found,
    all matters.

    Attributes:
        above_hu: Threshold of the body in HU, as of `OutsideBody`.
        window: `(low, high)` in HU, which the recipe makes 0 and 1: that of the weights.
        spacing_mm: Voxel size of the network's grid.
        margin_mm: Margin around the air: chest wall, diaphragm, and lung without air.
        least_ml: Least volume of air in all.
        part_ml: Least volume of a component; bowel gas is mostly less.
        slice_axis: Spatial axis perpendicular to the slices that are filled: the long axis of the
            body.
        lateral_axis: Spatial axis from one side of the patient to the other.

    Raises:
        UsageError: If a threshold or a window is no such value.
    """

    above_hu: float
    window: Sequence[float]
    spacing_mm: Sequence[float]
    margin_mm: float = 30.0
    least_ml: float = 500.0
    part_ml: float = 20.0
    slice_axis: int = 2
    lateral_axis: int = 0

    def __post_init__(self) -> None:
        _require_hu("AroundLungs", self.above_hu, self.window)

    def __call__(self, volume: Tensor) -> Region:
        """Return the region of a volume `(1, I, J, K)`."""
        trunk = _trunk(volume, self.above_hu, self.window, self.slice_axis)
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


def _require_hu(rule: str, above_hu: object, window: object) -> None:
    require_number(f"{rule}: above_hu", above_hu, at_least=-inf)
    low, high = require_span(f"{rule}: window", window, at_least=-inf)
    if low == high:
        raise UsageError(f"{rule}: window must be two numbers [low, high], rising, got {window!r}")


def _trunk(
    volume: Tensor, above_hu: float, window: Sequence[float], slice_axis: int
) -> Trunk | None:
    """The trunk of a volume `(1, I, J, K)`; None if the window does not hold the threshold."""
    low, high = window
    if not low <= above_hu < high:
        return None
    share = (above_hu - low) / (high - low)
    return find_trunk(volume[0].cpu(), above=share, slice_axis=slice_axis)


def _around_body(trunk: Trunk, shape: Sequence[int]) -> Region:
    body = with_rim(trunk.body)

    def should_run(box: Sequence[slice]) -> bool:
        coarse = tuple(slice(b.start // BLOCK, -(-b.stop // BLOCK)) for b in box)
        return bool(body[coarse].any())

    return Region(_voxels(_ends(body), shape), should_run)


def _ends(mask: Mask) -> list[tuple[int, int]]:
    """Bounding box: first block of each axis, and the one after the last."""
    others = [tuple(a for a in range(mask.ndim) if a != axis) for axis in range(mask.ndim)]
    blocks = [np.flatnonzero(mask.any(axis=axes)) for axes in others]
    return [(int(indices[0]), int(indices[-1]) + 1) for indices in blocks]


def _voxels(ends: Sequence[tuple[int, int]], shape: Sequence[int]) -> Box:
    axes = zip(ends, shape, strict=True)
    return tuple(slice(max(low * BLOCK, 0), min(high * BLOCK, size)) for (low, high), size in axes)
