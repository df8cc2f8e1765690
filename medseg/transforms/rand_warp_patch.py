"""RandWarpPatchd: crop a random patch and warp it, in one resampling.

One step instead of crop, flip, affine and elastic transforms, each of which would read and
resample voxels that the next throws away.
"""

from collections.abc import Hashable, Mapping, Sequence
from math import isfinite
from typing import Any, get_args

import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, RandomizableTransform

from medseg.transforms.patch_centre import Centres, draw_start
from medseg.transforms.patch_reading import Padding
from medseg.transforms.sampling_grid import PatchGrid
from medseg.transforms.warp import Warp, sample_warp
from medseg.transforms.warp_patch import Interpolation, plan_patch, warp_patch
from medseg.transforms.warp_ranges import WarpRanges, certain

__all__ = ["RandWarpPatchd"]

CLASS_VOXELS = "class_voxels"


class RandWarpPatchd(RandomizableTransform, MapTransform):
    """Draw a patch and a warp, and extract the warped patch from each key with one resampling.

    Flips, rotation, zoom, shear, shift and elastic deformation are composed to one map, the same
    for image, label and weights. Only the voxels that the patch needs are read; where nothing or
    only flips were drawn, they are copied without interpolation.

    Args:
        keys: Volumes of one spatial shape `(C, *spatial)`, 2 or 3 axes, in memory or lazy.
        patch_size: Voxels along each axis; may exceed the volume.
        spacing_mm: Size of a voxel along each axis; 1 for images without a scale, where
            millimetres then mean pixels.
        modes: One per key: `linear` or `cubic` for intensities, `nearest` or `argmax` for
            labels.
        warp: Range and probability of each component; None does not warp.
        centres: Distribution of patch centres; half of them on foreground if None. Foreground is
            looked up in `class_voxels`, see `ClassVoxelsd`.
        padding: Values outside the volume: `border`, `reflection` or `zeros`.
        record_key: Key under which the patch's start and the warp's parameters are recorded; None
            records nothing.

    Raises:
        ValueError: If an argument is out of its range.

    `class_voxels` is removed from the sample; intensities come out as float32 tensors, labels in
    their own integer type.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each choice
        self,
        keys: KeysCollection,
        patch_size: Sequence[int],
        spacing_mm: Sequence[float],
        modes: Sequence[Interpolation],
        *,
        warp: WarpRanges | None = None,
        centres: Centres | None = None,
        padding: Padding = "border",
        record_key: str | None = None,
    ) -> None:
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.modes = tuple(modes)
        self.patch_size = tuple(patch_size)
        self.spacing_mm = tuple(float(s) for s in spacing_mm)
        self.warp = warp or WarpRanges()
        self.centres = centres or Centres()
        self.padding: Padding = padding
        self.record_key = record_key
        self._check()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Extract one patch from a prepared case."""
        sample = dict(data)
        shape = self._shape(sample)
        grid, warp = self._draw(sample.pop(CLASS_VOXELS, {}), shape)
        plan = plan_patch(shape, grid, warp, self.padding)
        for key, mode in zip(self.keys, self.modes, strict=True):
            sample[key] = warp_patch(sample[key], plan, mode)
        if self.record_key is not None:
            sample[self.record_key] = {"start": grid.start, **warp.record()}
        return sample

    def _draw(
        self, class_voxels: Mapping[int, Any], shape: tuple[int, ...]
    ) -> tuple[PatchGrid, Warp]:
        start = draw_start(self.centres, class_voxels, shape, self.patch_size, self.R)
        grid = PatchGrid(start=start, size=self.patch_size, spacing_mm=self.spacing_mm)
        return grid, sample_warp(self.warp, grid.extent_mm, self.R)

    def _shape(self, sample: Mapping[Hashable, Any]) -> tuple[int, ...]:
        missing = [key for key in self.keys if key not in sample]
        if missing:
            raise ValueError(f"keys {missing} are not in the sample, which has {list(sample)}")
        shapes = {key: tuple(sample[key].shape[1:]) for key in self.keys}
        first = shapes[self.keys[0]]
        if any(shape != first for shape in shapes.values()):
            raise ValueError(f"keys must have one spatial shape, got {shapes}")
        if len(first) != len(self.patch_size):
            raise ValueError(
                f"{self.keys[0]} has {len(first)} spatial axes and patch_size "
                f"{len(self.patch_size)}"
            )
        return first

    def _check(self) -> None:
        axes = len(self.patch_size)
        if axes not in (2, 3) or min(self.patch_size) < 1:
            raise ValueError(f"patch_size must be 2 or 3 sizes of 1 or more, got {self.patch_size}")
        if len(self.spacing_mm) != axes or not all(isfinite(s) and s > 0 for s in self.spacing_mm):
            raise ValueError(
                f"spacing_mm must be {axes} positive numbers, got {list(self.spacing_mm)}"
            )
        if len(self.modes) != len(self.keys) or not set(self.modes) <= {*get_args(Interpolation)}:
            raise ValueError(
                f"modes must be one of {get_args(Interpolation)} a key, "
                f"got {list(self.modes)} for keys {list(self.keys)}"
            )
        if self.padding not in get_args(Padding):
            raise ValueError(f"padding must be one of {get_args(Padding)}, got {self.padding!r}")
        # Draw once, so that a range with too many axes fails here and not in the first epoch.
        extent = [n * s for n, s in zip(self.patch_size, self.spacing_mm, strict=True)]
        sample_warp(certain(self.warp), extent, np.random.RandomState(0))
