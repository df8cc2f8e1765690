"""RandWarpBatchd: random warps on the GPU, one per element of a batch.

For training where resampling on the GPU is cheap and CPU time is scarce: workers crop plain
patches, and the batch is warped after it has been collated and moved to the device.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, RandomizableTransform
from torch import Tensor

from medseg._checks import require_choice, require_spacing
from medseg.errors import UsageError
from medseg.transforms.patch_reading import Padding
from medseg.transforms.sampling_grid import PatchGrid, control_places, unit_grid
from medseg.transforms.warp import Warp, sample_warp
from medseg.transforms.warp_patch import Interpolation, require_modes, resample
from medseg.transforms.warp_ranges import WarpRanges

__all__ = ["RandWarpBatchd", "batch_units"]


def batch_units(
    warps: Sequence[Warp], grid: PatchGrid, device: torch.device | str = "cpu"
) -> Tensor:
    """Sampling grid of each element.

    Args:
        warps: One per element; all elastic ones have the same control spacing.
        grid: The elements' size and spacing, starting at 0.
        device: Device of the result; only control points are copied there.

    Returns:
        `(B, *size, n)` for `medseg.transforms.resample`.
    """
    spacing = next((w.control_spacing_mm for w in warps if w.control_spacing_mm), None)
    controls = [control_places(warp, grid, spacing) for warp in warps]
    return unit_grid(controls, np.zeros_like(grid.size), np.asarray(grid.size), device)


class RandWarpBatchd(RandomizableTransform, MapTransform):
    """Warp every element of a batch about its centre, each with its own random parameters.

    Args:
        keys: Tensors `(B, C, *spatial)` of one batch and spatial shape, on one device.
        spacing_mm: Size of a voxel along each axis.
        modes: One per key, as in `RandWarpPatchd`.
        warp: Range and probability of each component.
        padding: Values outside the batch's patches; crop them larger than the network needs if
            that matters.

    Raises:
        UsageError: If an argument is out of its range, or the shapes of the keys differ.
    """

    def __init__(
        self,
        keys: KeysCollection,
        spacing_mm: Sequence[float],
        modes: Sequence[Interpolation],
        *,
        warp: WarpRanges,
        padding: Padding = "border",
    ) -> None:
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob=1.0)
        require_modes("RandWarpBatchd", modes, self.keys)
        require_choice("RandWarpBatchd: padding", padding, get_args(Padding))
        self.spacing_mm = require_spacing("RandWarpBatchd: spacing_mm", spacing_mm)
        self.modes = tuple(modes)
        self.warp = warp
        self.padding: Padding = padding

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Warp a batch; nothing is written into its tensors."""
        batch = dict(data)
        first: Tensor = batch[self.keys[0]]
        shapes = {key: (len(batch[key]), *batch[key].shape[2:]) for key in self.keys}
        if len(set(shapes.values())) > 1:
            raise UsageError(
                f"RandWarpBatchd: keys must have one batch size and spatial shape, got {shapes}"
            )
        size = tuple(first.shape[2:])
        grid = PatchGrid(start=(0,) * len(size), size=size, spacing_mm=self.spacing_mm)
        warps = [sample_warp(self.warp, grid.extent_mm, self.R) for _ in range(len(first))]
        if all(warp.flips == () for warp in warps):
            return batch
        units = batch_units(warps, grid, first.device)
        for key, mode in zip(self.keys, self.modes, strict=True):
            batch[key] = resample(batch[key].as_subclass(Tensor), units, mode, self.padding)
        return batch
