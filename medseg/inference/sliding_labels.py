"""SlidingWindowLabels: MONAI's inferer signature, an index map in the image's own grid out.

MONAI's own way stacks the logits of all classes at full size, turns them into probabilities and
inverts the recipe on each: most of the time and nearly all of the memory of a prediction.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from medseg.errors import MachineError
from medseg.inference.export import Label, Watch, label_in_network_grid, label_in_source_grid
from medseg.inference.grid_map import GridMap, map_grids
from medseg.inference.mirror import check_mirror_axes, mirrored
from medseg.inference.region import Region, roomy_box, whole
from medseg.inference.slabs import Predictor, Slab, logit_slabs
from medseg.inference.windows import Blend, plan_windows

__all__ = ["SlidingWindowLabels"]

logger = logging.getLogger(__name__)

Grid = Literal["source", "network"]
Interpolated = Literal["probabilities", "logits"]
SkipRule = Callable[[Tensor], Region]


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
        window: Voxels of a window along each axis; smaller volumes are padded with 0.
        overlap: Share of a window that the next one shares, in [0, 1).
        blend: How overlapping windows are weighed, `gaussian` or `constant`.
        window_batch: Windows a call of the network; halved when memory runs out.
        skip: Which part of a volume matters, such as `OutsideBody`; all of it if None. Windows are
            laid over its box; what lies outside becomes background.
        grid: Whether the label is wanted in the `source` image's grid, which a `MetaTensor`
            remembers, or in that of the `network`.
        interpolate: What is interpolated linearly from the network's grid to the source's,
            `probabilities` (a softmax of the logits) or `logits`.
        mirror_axes: Spatial axes along which windows are mirrored as well, in all combinations, and
            the logits averaged: each axis doubles the time. For networks that were trained on
            images mirrored along them.
    """

    def __init__(  # noqa: PLR0913 - one argument a key of a config
        self,
        window: Sequence[int],
        *,
        overlap: float = 0.5,
        blend: Blend = "gaussian",
        window_batch: int = 1,
        skip: SkipRule | None = None,
        grid: Grid = "source",
        interpolate: Interpolated = "probabilities",
        mirror_axes: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if interpolate not in get_args(Interpolated):
            raise ValueError(
                f"interpolate must be one of {get_args(Interpolated)}, got {interpolate!r}"
            )
        if grid not in ("source", "network"):
            raise ValueError(f"grid must be 'source' or 'network', got {grid!r}")
        if window_batch < 1:
            raise ValueError(f"window_batch must be 1 or more, got {window_batch}")
        plan_windows(window, window, overlap=overlap, blend=blend)
        self.window = tuple(window)
        self.overlap = overlap
        self.blend: Blend = blend
        self.window_batch = window_batch
        self.skip = skip
        self.grid: Grid = grid
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
            watch: Sees the probabilities of each class, in the source's grid.
            kwargs: For the network.

        Returns:
            `(1, 1, *spatial)`, uint8, or uint16 from 256 classes on, with the grid's affine.
        """
        if len(inputs) != 1:
            raise ValueError(f"inputs must be one volume at a time, got {len(inputs)}")
        if watch is not None and (self.grid, self.interpolate) != ("source", "probabilities"):
            raise ValueError("maps are of probabilities in the source's grid; set both words so")
        affine, grid = _grids(inputs, self.grid)

        def run(windows: Tensor) -> Tensor:
            return network(windows, *args, **kwargs).float()

        predict = mirrored(run, self.mirror_axes)

        job = _Job(inputs.as_subclass(Tensor)[0], predict, grid, watch)
        with torch.inference_mode():
            label = self._label(job)
        return _with_affine(label, affine, inputs)

    def busiest_window(self, volume: Tensor) -> Tensor:
        """The window of a volume whose intensities spread most: there is something in it.

        Args:
            volume: `(C, *spatial)`; padded where it is smaller than a window.

        Returns:
            `(C, *window)`.
        """
        padded, _ = _padded(volume, self.window)
        plan = plan_windows(padded.shape[1:], self.window, overlap=0)
        boxes = [
            (slice(None), *(slice(s, s + n) for s, n in zip(start, self.window, strict=True)))
            for start in product(*plan.starts)
        ]
        return max((padded[box] for box in boxes), key=lambda window: float(window.std()))

    def region(self, volume: Tensor) -> Region:
        """Where in a volume `(C, *spatial)`, no smaller than a window, the network is run."""
        shape = volume.shape[1:]
        region = whole(shape) if self.skip is None else self.skip(volume)
        return Region(roomy_box(region.box, shape, self.window, self.overlap), region.wanted)

    def _label(self, job: "_Job") -> Label:
        batch = self.window_batch
        keep_on: torch.device | None = None
        while True:
            try:
                return self._attempt(job, batch, keep_on)
            except (torch.OutOfMemoryError, MemoryError) as error:
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

    def _attempt(self, job: "_Job", batch: int, keep_on: torch.device | None) -> Label:
        padded, before = _padded(job.volume, self.window)
        region = self.region(padded)
        cut = padded[(slice(None), *region.box)]
        axis = int(np.argmax(cut.shape[1:]))  # the longest: slabs are smallest across it
        slabs = self._slabs(cut, job.predict, region, axis, batch, keep_on)
        if job.grid is not None:
            shifted, shape = _shifted(job.grid, before), padded.shape[1:]
            return label_in_source_grid(
                self._compared(slabs), shifted, axis, box=region.box, shape=shape, watch=job.watch
            )
        found = np.moveaxis(label_in_network_grid(slabs), 0, axis)
        label = np.zeros(padded.shape[1:], found.dtype)
        label[region.box] = found
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
        turned, turn = _turned(cut, axis), [axis, *_others(axis, len(self.window))]
        windows = plan_windows(
            turned.shape[1:],
            [self.window[a] for a in turn],
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

        return logit_slabs(
            turned,
            lambda stack: _turned(predict(_turned_back(stack, axis)), axis, leading=2),
            windows,
            batch=batch,
            wanted=wanted,
            keep_on=keep_on,
        )

    def _compared(self, slabs: Iterator[Slab]) -> Iterator[Slab]:
        """What is interpolated between voxels."""
        if self.interpolate == "logits":
            return slabs
        return (Slab(slab.start, slab.logits.softmax(dim=0)) for slab in slabs)


def _grids(inputs: Tensor, wanted: Grid) -> tuple[NDArray[np.float64] | None, GridMap | None]:
    """The affine that the label will have, and the way there if it is the source's."""
    if not isinstance(inputs, MetaTensor):
        if wanted == "source":
            raise ValueError("inputs must be a MetaTensor for a label in the source's grid")
        return None, None
    network = _matrix(inputs.affine)
    if wanted == "network":
        return network, None
    meta = _meta(inputs)
    axes = inputs.ndim - 2
    source = _matrix(meta["original_affine"])
    shape = [int(n) for n in np.ravel(np.asarray(meta["spatial_shape"]))[:axes]]
    keep = [*range(axes), -1]
    return source, map_grids(source[keep][:, keep], shape, network[keep][:, keep])


def _meta(inputs: MetaTensor) -> dict[str, Any]:
    return cast("Any", inputs).meta


def _matrix(affine: Any) -> NDArray[np.float64]:
    matrix = np.asarray(affine, dtype=np.float64)
    return matrix.reshape(matrix.shape[-2:])


def _padded(volume: Tensor, window: Sequence[int]) -> tuple[Tensor, list[int]]:
    missing = [max(w - n, 0) for w, n in zip(window, volume.shape[1:], strict=True)]
    before = [m // 2 for m in missing]
    ends = [e for m, b in zip(missing, before, strict=True) for e in (m - b, b)]
    return (pad(volume, ends[::-1]) if any(missing) else volume), before


def _shifted(grid: GridMap, before: Sequence[int]) -> GridMap:
    offset = tuple(o + b for o, b in zip(grid.offset, before, strict=True))
    return GridMap(grid.axes, grid.scale, offset, grid.shape)


def _others(axis: int, axes: int) -> list[int]:
    return [a for a in range(axes) if a != axis]


def _turned(tensor: Tensor, axis: int, leading: int = 1) -> Tensor:
    """Bring a spatial axis to the front of the spatial axes."""
    return tensor.movedim(leading + axis, leading)


def _turned_back(stack: Tensor, axis: int) -> Tensor:
    return stack.movedim(2, 2 + axis).contiguous()


def _with_affine(label: Label, affine: NDArray[np.float64] | None, inputs: Tensor) -> MetaTensor:
    meta = dict(_meta(inputs)) if isinstance(inputs, MetaTensor) else {}
    if affine is not None:
        meta["affine"] = torch.as_tensor(affine)[None]
    return MetaTensor(torch.as_tensor(label)[None, None], meta=meta)
