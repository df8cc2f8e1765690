"""RandWarpPatchd: crop a random patch and warp it, in one resampling.

One step instead of crop, flip, affine and elastic transforms, each of which would read and
resample voxels that the next throws away.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform, RandomizableTransform

from medseg._checks import require_choice, require_sizes, require_spacing
from medseg.errors import UsageError
from medseg.transforms.class_voxels import CLASS_VOXELS
from medseg.transforms.patch_centre import Centres, draw_start
from medseg.transforms.patch_reading import Padding
from medseg.transforms.sampling_grid import PatchGrid
from medseg.transforms.warp import Warp, sample_warp
from medseg.transforms.warp_patch import Interpolation, plan_patch, require_modes, warp_patch
from medseg.transforms.warp_ranges import WarpRanges, certain

__all__ = ["RandWarpPatchd"]


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
        UsageError: If an argument is out of its range.

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
        self.patch_size = require_sizes("RandWarpPatchd: patch_size", patch_size)
        axes = len(self.patch_size)
        self.spacing_mm = require_spacing("RandWarpPatchd: spacing_mm", spacing_mm, axes=(axes,))
        self.warp = warp or WarpRanges()
        self.centres = centres or Centres()
        self.padding: Padding = padding
        self.record_key = record_key
        self._check_elastic()
        self._check()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Extract one patch from a prepared case.

        Raises:
            UsageError: If patches are to lie around foreground voxels, but these are not listed.
        """
        sample = dict(data)
        shape = self._shape(sample)
        grid, warp = self._draw(self._class_voxels(sample), shape)
        plan = plan_patch(shape, grid, warp, self.padding)
        for key, mode in zip(self.keys, self.modes, strict=True):
            sample[key] = warp_patch(sample[key], plan, mode)
        if self.record_key is not None:
            sample[self.record_key] = {"start": grid.start, **warp.record()}
        return sample

    def _check_elastic(self) -> None:
        """Refuse control points closer than voxels: their number would fill the memory."""
        if self.warp.elastic is None:
            return
        each = self.warp.elastic.control_spacing_mm
        apart = [each] * len(self.spacing_mm) if isinstance(each, int | float) else each
        if any(mm < size / 2 for mm, size in zip(apart, self.spacing_mm, strict=False)):
            raise UsageError(
                f"Elastic: control_spacing_mm must be at least half a voxel of {self.spacing_mm} "
                f"mm, got {each}"
            )

    def _class_voxels(self, sample: dict[Hashable, Any]) -> Mapping[int, Any]:
        if CLASS_VOXELS not in sample and self.centres.foreground > 0:
            raise UsageError(
                f"centres.foreground is {self.centres.foreground:g}, but the sample has no "
                f"{CLASS_VOXELS}; add medseg.transforms.ClassVoxelsd after the steps that prepare "
                "the label (label_steps), or set centres.foreground to 0"
            )
        return cast("Mapping[int, Any]", sample.pop(CLASS_VOXELS, {}))

    def _draw(
        self, class_voxels: Mapping[int, Any], shape: tuple[int, ...]
    ) -> tuple[PatchGrid, Warp]:
        start = draw_start(self.centres, class_voxels, shape, self.patch_size, self.R)
        grid = PatchGrid(start=start, size=self.patch_size, spacing_mm=self.spacing_mm)
        return grid, sample_warp(self.warp, grid.extent_mm, self.R)

    def _shape(self, sample: Mapping[Hashable, Any]) -> tuple[int, ...]:
        missing = [key for key in self.keys if key not in sample]
        if missing:
            raise UsageError(
                f"RandWarpPatchd: keys {missing} are not in the sample, which has {list(sample)}"
            )
        shapes = {key: tuple(sample[key].shape[1:]) for key in self.keys}
        first = shapes[self.keys[0]]
        if any(shape != first for shape in shapes.values()):
            raise UsageError(f"RandWarpPatchd: keys must have one spatial shape, got {shapes}")
        if len(first) != len(self.patch_size):
            raise UsageError(
                f"RandWarpPatchd: {self.keys[0]} has {len(first)} spatial axes and patch_size "
                f"{len(self.patch_size)}"
            )
        return first

    def _check(self) -> None:
        require_modes("RandWarpPatchd", self.modes, self.keys)
        require_choice("RandWarpPatchd: padding", self.padding, get_args(Padding))
        # Draw once, so that a range with too many axes fails here and not in the first epoch.
        extent = [n * s for n, s in zip(self.patch_size, self.spacing_mm, strict=True)]
        sample_warp(certain(self.warp), extent, np.random.RandomState(0))
