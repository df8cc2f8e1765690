"""SlidingWindowLabels: a MONAI inferer that returns an index map in the image's own grid.

MONAI stacks the logits of all classes at full size, applies a softmax and inverts the recipe on
each class, which takes most of the time and nearly all of the memory of a prediction.
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
from medseg.errors import DataError, MachineError, is_out_of_memory
from medseg.inference.foreground import foreground_in_network_grid, foreground_in_source_grid
from medseg.inference.grid_map import GridMap
from medseg.inference.label_place import Grid, Place, label_place, meta_of
from medseg.inference.maps import require_probabilities
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
    """Predict a label by sliding windows, without keeping the logits of all classes.

    Args:
        window: Voxels of a window along each axis; smaller volumes are padded with 0. With two
            axes, a 3-D volume is labelled slice by slice along its third axis.
        overlap: Overlap of neighbouring windows, as a fraction in [0, 1).
        blend: Blending of overlapping windows, `gaussian` or `constant`.
        window_batch: Windows per call of the network; halved when memory runs out.
        skip: Rule for the relevant part of a volume, such as `OutsideBody`; None runs all of it.
            Windows cover its box; the rest becomes background.
        grid: Grid of the label: that of the `source` image, known from the metadata of a
            `MetaTensor`, or that of the `network`'s image.
        gives: The `labels`, or the probability of `foreground` (of any class but the background),
            for separating objects, see `NumberCellsd`.
        interpolate: What is interpolated linearly from the network's grid to the source's before
            the arg-max: `probabilities` (softmax of the logits) or `logits`.
        mirror_axes: Spatial axes of test-time augmentation: logits are averaged over all
            combinations of mirroring, and each axis doubles the time. For networks trained with
            mirroring along them.
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
            watch: Observer of the probabilities of each class, in the grid of its source.
            kwargs: For the network.

        Returns:
            `(1, 1, *spatial)`, uint8, or uint16 from 256 classes on, with the grid's affine; with
            three spatial axes for a slice whose source has three. Foreground is float32.
        """
        if len(inputs) != 1:
            raise ValueError(f"inputs must be one volume at a time, got {len(inputs)}")
        if watch is not None:
            require_probabilities(self.gives, self.interpolate)
        place = label_place(inputs, self.grid)
        if watch is not None and (place.map is None or place.slice_axis is not None):
            raise DataError(
                "maps are supported in the grid of a volume or a picture; this image is a slice"
            )
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
        """Voxels of a window along each axis of a volume; 1 along the axis of slices.

        Raises:
            DataError: If the volume has another number of axes than the window.
        """
        if len(spatial) == len(self.window):
            return self.window
        if len(spatial) == 3 and len(self.window) == 2:
            return (*self.window, 1)
        raise DataError(
            f"windows have {len(self.window)} axes and the image has {len(spatial)}; use an image "
            "of the kind that the network was trained on"
        )

    def windows_apart(self, volume: Tensor) -> list[Tensor]:
        """Windows without overlap that cover the relevant part of a volume.

        Args:
            volume: `(C, *spatial)`; padded if it is smaller than a window.

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
        """The region of a volume `(C, *spatial)`, no smaller than a window, to be predicted."""
        shape, size = volume.shape[1:], self.window_in(volume.shape[1:])
        region = whole(shape) if self.skip is None else self.skip(volume)
        return Region(roomy_box(region.box, shape, size, self.overlap), region.should_run)

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
                    logger.warning(
                        "out of memory: %d windows at a time for the rest of this volume",
                        batch,
                    )
                elif keep_on is None and job.volume.device.type != "cpu":
                    keep_on = torch.device("cpu")
                    logger.warning("out of memory: blending windows on the CPU")
                else:
                    raise MachineError(
                        "out of memory with one window at a time; use a smaller window, "
                        "coarser spacing, or a larger machine"
                    ) from error

    def _attempt(self, job: _Job, batch: int, keep_on: torch.device | None) -> Result:
        size = self.window_in(job.volume.shape[1:])
        padded, before = padded_to(job.volume, size)
        region = self.region(padded)
        cut = padded[(slice(None), *region.box)]
        # Slabs along the longest axis are smallest; 2-D windows are slices along axis 2.
        axis = int(np.argmax(cut.shape[1:])) if len(size) == len(self.window) else 2
        slabs = self._slabs(cut, job.predict, region, axis, batch, keep_on)
        if job.grid is not None:
            part, grid = Part(region.box, tuple(padded.shape[1:])), shifted(job.grid, before)
            if self.gives == "foreground":
                return foreground_in_source_grid(slabs, grid, axis, part=part)
            probable = self._compared(slabs)
            return label_in_source_grid(probable, grid, axis, part=part, watch=job.watch)
        result = (
            foreground_in_network_grid(slabs)
            if self.gives == "foreground"
            else label_in_network_grid(slabs)
        )
        label = np.zeros(padded.shape[1:], result.dtype)
        label[region.box] = np.moveaxis(result, 0, axis)
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

        def should_run(box: Sequence[slice]) -> bool:
            parts = (box[turn.index(a)] for a in range(len(turn)))
            return region.should_run(
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
            should_run=should_run,
            keep_on=keep_on,
        )
        # map, not a generator, which would keep a slab while the next one is computed.
        return map(_finite, slabs)

    def _compared(self, slabs: Iterator[Slab]) -> Iterator[Slab]:
        """The values that are interpolated and compared: probabilities or logits."""
        if self.interpolate == "logits":
            return slabs
        return map(_softmax, slabs)


def _finite(slab: Slab) -> Slab:
    # Comparisons with NaN are false, so the label would silently be all background.
    if not torch.isfinite(slab.logits).all():
        raise DataError(
            "the network returns NaN or infinity; check the weights, or use precision fp32"
        )
    return slab


def _softmax(slab: Slab) -> Slab:
    return Slab(slab.start, slab.logits.softmax(dim=0))


def _with_affine(label: Result, place: Place, inputs: Tensor) -> MetaTensor:
    meta = dict(meta_of(inputs)) if isinstance(inputs, MetaTensor) else {}
    if place.affine is not None:
        meta["affine"] = torch.as_tensor(place.affine)[None]
    return MetaTensor(torch.as_tensor(label)[None, None], meta=meta)
