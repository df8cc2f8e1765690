"""SlidingWindowLabels: MONAI's inferer signature, an index map in the image's own grid out.

MONAI's own way stacks the logits of all classes at full size, turns them into probabilities and
inverts the recipe on each: most of the time and nearly all of the memory of a prediction.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from numpy.typing import NDArray
from torch import Tensor

from medseg._checks import require_choice, require_number, require_sizes, require_whole_number
from medseg.errors import DataError, MachineError, UsageError, is_out_of_memory
from medseg.inference.foreground import foreground_in_network_grid, foreground_in_source_grid
from medseg.inference.grid_map import GridMap
from medseg.inference.label_place import Grid, Place, label_place, meta_of
from medseg.inference.mirror import check_mirror_axes, mirrored
from medseg.inference.region import Part, Region, roomy_box, whole
from medseg.inference.slabs import Predictor, Slab, logit_slabs
from medseg.inference.source_grid import Watch, label_in_network_grid, label_in_source_grid
from medseg.inference.turning import others, padded_to, shifted, turned, turned_back
from medseg.inference.windows import Blend, plan_windows

__all__ = ["SlidingWindowLabels"]

logger = logging.getLogger(__name__)

SkipRule = Callable[[Tensor], Region]
Gives = Literal["labels", "foreground"]
Interpolated = Literal["probabilities", "logits"]
Result = NDArray[Any]


@dataclass(frozen=True, eq=False)
class _Job:
    """One volume `(C, *spatial)` to label."""

    volume: Tensor
    predict: Predictor
    grid: GridMap | None
    watch: Watch | None


class SlidingWindowLabels(Inferer):
    """Predict a label by sliding windows, without holding the logits of all classes.

    Args:
        window: Voxels of a window along each axis; smaller volumes are padded with 0. With two
            axes, a volume of three is labelled slice by slice across its third.
        overlap: Share of a window that the next one shares, in [0, 1).
        blend: How overlapping windows are weighed, `gaussian` or `constant`.
        window_batch: Windows a call of the network; halved when memory runs out.
        skip: Which part of a volume matters, such as `OutsideBody`; all of it if None. Windows are
            laid over its box; what lies outside becomes background.
        grid: Whether the label is wanted in the `source` image's grid, which a `MetaTensor`
            remembers, or in that of the `network`.
        gives: The `labels`, or the probability of `foreground`, of any class but the background,
            for what tells objects apart by it, such as `NumberCellsd`.
        interpolate: What of labels is interpolated linearly from the network's grid to the
            source's, `probabilities` (a softmax of the logits) or `logits`.
        mirror_axes: Spatial axes along which windows are mirrored as well, in all combinations, and
            the logits averaged: each axis doubles the time. For networks that were trained on
            images mirrored along them.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each choice
        self,
        window: Sequence[int],
        *,
        overlap: float = 0.5,
        blend: Blend = "gaussian",
        window_batch: int = 1,
        skip: SkipRule | None = None,
        grid: Grid = "source",
        gives: Gives = "labels",
        interpolate: Interpolated = "probabilities",
        mirror_axes: Sequence[int] = (),
    ) -> None:
        super().__init__()
        require_choice("SlidingWindowLabels: grid", grid, get_args(Grid))
        require_choice("SlidingWindowLabels: gives", gives, get_args(Gives))
        require_choice("SlidingWindowLabels: interpolate", interpolate, get_args(Interpolated))
        require_whole_number("SlidingWindowLabels: window_batch", window_batch, at_least=1)
        self.window = require_sizes("SlidingWindowLabels: window", window)
        require_number("SlidingWindowLabels: overlap", overlap, at_least=0, below=1)
        require_choice("SlidingWindowLabels: blend", blend, get_args(Blend))
        self.overlap = overlap
        self.blend: Blend = blend
        self.window_batch = window_batch
        self.skip = skip
        self.grid: Grid = grid
        self.gives: Gives = gives
        self.interpolate: Interpolated = interpolate
        self.mirror_axes = check_mirror_axes(mirror_axes, len(self.window))

    def __call__(
        self,
        inputs: Tensor,
        network: Callable[..., Tensor],
        *args: Any,
        watch: Watch | None = None,
        **kwargs: Any,
    ) -> MetaTensor:
        """Predict the label of one volume.

        Args:
            inputs: `(1, C, *spatial)`; a `MetaTensor` for a label in the source's grid.
            network: Windows `(B, C, *window)` to logits `(B, K, *window)`.
            args: For the network.
            watch: Sees the probabilities of each class, in the grid of a source of three axes.
            kwargs: For the network.

        Returns:
            `(1, 1, *spatial)`, uint8, or uint16 from 256 classes on, with the grid's affine; of a
            slice that its source held in three axes, three. Foreground is float32.
        """
        if len(inputs) != 1:
            raise ValueError(f"inputs must be one volume at a time, got {len(inputs)}")
        if watch is not None and (self.gives, self.interpolate) != ("labels", "probabilities"):
            raise UsageError("maps are of what labels are chosen by: interpolate 'probabilities'")
        place = label_place(inputs, self.grid)
        if watch is not None and (place.map is None or len(place.map.axes) != 3):
            raise DataError("maps are of volumes, in their own grid; this image is a slice")
        flat = len(self.window_in(inputs.shape[2:])) > len(self.window)

        def run(windows: Tensor) -> Tensor:
            logits = network(windows[..., 0] if flat else windows, *args, **kwargs).float()
            return logits[..., None] if flat else logits

        predict = mirrored(run, self.mirror_axes)
        job = _Job(inputs.as_subclass(Tensor)[0], predict, place.map, watch)
        with torch.inference_mode():
            label = self._label(job)
        return _with_affine(place.with_slice_axis(label), place, inputs)

    def window_in(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Voxels of a window along each axis of a volume: 1 across slices.

        Raises:
            DataError: If the volume has another number of axes than the window.
        """
        if len(spatial) == len(self.window):
            return self.window
        if len(spatial) == 3 and len(self.window) == 2:
            return (*self.window, 1)
        raise DataError(
            f"windows have {len(self.window)} axes and the image has {len(spatial)}; give an image "
            "of the kind that the network was trained on"
        )

    def windows_apart(self, volume: Tensor) -> list[Tensor]:
        """Windows that cover what matters of a volume, side by side.

        Args:
            volume: `(C, *spatial)`; padded where it is smaller than a window.

        Returns:
            Views `(C, *window)`.
        """
        size = self.window_in(volume.shape[1:])
        padded, _ = padded_to(volume, size)
        cut = padded[(slice(None), *self.region(padded).box)]
        plan = plan_windows(cut.shape[1:], size, overlap=0)
        boxes = (
            (slice(None), *(slice(s, s + n) for s, n in zip(start, size, strict=True)))
            for start in product(*plan.starts)
        )
        return [cut[box].reshape(len(volume), *self.window) for box in boxes]

    def region(self, volume: Tensor) -> Region:
        """Where in a volume `(C, *spatial)`, no smaller than a window, the network is run."""
        shape, size = volume.shape[1:], self.window_in(volume.shape[1:])
        region = whole(shape) if self.skip is None else self.skip(volume)
        return Region(roomy_box(region.box, shape, size, self.overlap), region.wanted)

    def _label(self, job: _Job) -> Result:
        batch = self.window_batch
        keep_on: torch.device | None = None
        while True:
            try:
                return self._attempt(job, batch, keep_on)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if batch > 1:
                    batch //= 2
                    logger.warning("out of memory: %d windows at a time from now on", batch)
                elif keep_on is None and job.volume.device.type != "cpu":
                    keep_on = torch.device("cpu")
                    logger.warning("out of memory: putting windows together on the CPU")
                else:
                    raise MachineError(
                        "out of memory with one window at a time; take a smaller window, "
                        "coarser spacing, or a larger machine"
                    ) from error

    def _attempt(self, job: _Job, batch: int, keep_on: torch.device | None) -> Result:
        size = self.window_in(job.volume.shape[1:])
        padded, before = padded_to(job.volume, size)
        region = self.region(padded)
        cut = padded[(slice(None), *region.box)]
        # The longest: slabs are smallest across it, unless they are slices anyway.
        axis = int(np.argmax(cut.shape[1:])) if len(size) == len(self.window) else 2
        slabs = self._slabs(cut, job.predict, region, axis, batch, keep_on)
        if job.grid is not None:
            part, grid = Part(region.box, tuple(padded.shape[1:])), shifted(job.grid, before)
            if self.gives == "foreground":
                return foreground_in_source_grid(slabs, grid, axis, part=part)
            probable = self._compared(slabs)
            return label_in_source_grid(probable, grid, axis, part=part, watch=job.watch)
        found = (
            foreground_in_network_grid(slabs)
            if self.gives == "foreground"
            else label_in_network_grid(slabs)
        )
        label = np.zeros(padded.shape[1:], found.dtype)
        label[region.box] = np.moveaxis(found, 0, axis)
        sizes = zip(before, job.volume.shape[1:], strict=True)
        return np.ascontiguousarray(label[tuple(slice(b, b + n) for b, n in sizes)])

    def _slabs(
        self,
        cut: Tensor,
        predict: Predictor,
        region: Region,
        axis: int,
        batch: int,
        keep_on: torch.device | None,
    ) -> Iterator[Slab]:
        size = self.window_in(cut.shape[1:])
        along, turn = turned(cut, axis), [axis, *others(axis, len(size))]
        windows = plan_windows(
            along.shape[1:],
            [size[a] for a in turn],
            overlap=self.overlap,
            blend=self.blend,
        )

        def wanted(box: Sequence[slice]) -> bool:
            parts = (box[turn.index(a)] for a in range(len(turn)))
            return region.wanted(
                [
                    slice(part.start + all_of.start, part.stop + all_of.start)
                    for part, all_of in zip(parts, region.box, strict=True)
                ]
            )

        slabs = logit_slabs(
            along,
            lambda stack: turned(predict(turned_back(stack, axis)), axis, leading=2),
            windows,
            batch=batch,
            wanted=wanted,
            keep_on=keep_on,
        )
        # A generator would hold a slab while the next one is computed.
        return map(_finite, slabs)

    def _compared(self, slabs: Iterator[Slab]) -> Iterator[Slab]:
        """What is interpolated between voxels."""
        if self.interpolate == "logits":
            return slabs
        return map(_softmax, slabs)


def _finite(slab: Slab) -> Slab:
    # No comparison with NaN holds, so that all of it would be background without a word.
    if not torch.isfinite(slab.logits).all():
        raise DataError(
            "the network gives NaN or infinity; check the weights, or compute with precision fp32"
        )
    return slab


def _softmax(slab: Slab) -> Slab:
    return Slab(slab.start, slab.logits.softmax(dim=0))


def _with_affine(label: Result, place: Place, inputs: Tensor) -> MetaTensor:
    meta = dict(meta_of(inputs)) if isinstance(inputs, MetaTensor) else {}
    if place.affine is not None:
        meta["affine"] = torch.as_tensor(place.affine)[None]
    return MetaTensor(torch.as_tensor(label)[None, None], meta=meta)
