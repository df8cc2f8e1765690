"""SlidingWindowLabels: MONAI's inferer signature, an index map in the image's own grid out.

MONAI's own way stacks the logits of all classes at full size, turns them into probabilities and
inverts the recipe on each: most of the time and nearly all of the memory of a prediction.
"""

import logging
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from medseg.errors import DataError, MachineError
from medseg.inference.export import (
    foreground_in_network_grid,
    foreground_in_source_grid,
    label_in_network_grid,
    label_in_source_grid,
)
from medseg.inference.grid_map import GridMap
from medseg.inference.label_place import Grid, Place, label_place, meta_of
from medseg.inference.skip import Wanted
from medseg.inference.slabs import Predictor, logit_slabs
from medseg.inference.windows import Blend, plan_windows

__all__ = ["SlidingWindowLabels"]

logger = logging.getLogger(__name__)

SkipRule = Callable[[Tensor], Wanted]
Gives = Literal["labels", "foreground"]
Result = NDArray[Any]
# What slabs of logits become, in the network's grid and in the source's.
_READINGS: dict[Gives, tuple[Callable[..., Result], Callable[..., Result]]] = {
    "labels": (label_in_network_grid, label_in_source_grid),
    "foreground": (foreground_in_network_grid, foreground_in_source_grid),
}


class SlidingWindowLabels(Inferer):
    """Predict a label by sliding windows, without holding the logits of all classes.

    Args:
        window: Voxels of a window along each axis; smaller volumes are padded with 0. With two
            axes, a volume of three is labelled slice by slice across its third.
        overlap: Share of a window that the next one shares, in [0, 1).
        blend: How overlapping windows are weighed, `gaussian` or `constant`.
        window_batch: Windows a call of the network; halved when memory runs out.
        skip: Which windows need not be run, such as `OutsideBody`; all are run if None.
        grid: Whether the label is wanted in the `source` image's grid, which a `MetaTensor`
            remembers, or in that of the `network`.
        gives: The `labels`, or the probability of `foreground`, of any class but the background,
            for what tells objects apart by it, such as `NumberCellsd`.
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
    ) -> None:
        super().__init__()
        if gives not in get_args(Gives):
            raise ValueError(f"gives must be one of {get_args(Gives)}, got {gives!r}")
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
        self.gives: Gives = gives

    def __call__(
        self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any
    ) -> MetaTensor:
        """Predict the label of one volume.

        Args:
            inputs: `(1, C, *spatial)`; a `MetaTensor` for a label in the source's grid.
            network: Windows `(B, C, *window)` to logits `(B, K, *window)`.
            args: For the network.
            kwargs: For the network.

        Returns:
            `(1, 1, *spatial)`, uint8, or uint16 from 256 classes on, with the grid's affine; of a
            slice that its source held in three axes, three. Foreground is float32.
        """
        if len(inputs) != 1:
            raise ValueError(f"inputs must be one volume at a time, got {len(inputs)}")
        place = label_place(inputs, self.grid)
        flat = len(self.window_in(inputs.shape[2:])) > len(self.window)

        def predict(windows: Tensor) -> Tensor:
            logits = network(windows[..., 0] if flat else windows, *args, **kwargs).float()
            return logits[..., None] if flat else logits

        with torch.inference_mode():
            label = self._label(inputs.as_subclass(Tensor)[0], predict, place.map)
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

    def busiest_window(self, volume: Tensor) -> Tensor:
        """The window of a volume whose intensities spread most: there is something in it.

        Args:
            volume: `(C, *spatial)`; padded where it is smaller than a window.

        Returns:
            `(C, *window)`.
        """
        size = self.window_in(volume.shape[1:])
        padded, _ = _padded(volume, size)
        plan = plan_windows(padded.shape[1:], size, overlap=0)
        boxes = [
            (slice(None), *(slice(s, s + n) for s, n in zip(start, size, strict=True)))
            for start in product(*plan.starts)
        ]
        busiest = max((padded[box] for box in boxes), key=lambda window: float(window.std()))
        return busiest.reshape(len(volume), *self.window)

    def _label(self, volume: Tensor, predict: Predictor, grid: GridMap | None) -> Result:
        batch = self.window_batch
        keep_on: torch.device | None = None
        while True:
            try:
                return self._attempt(volume, predict, grid, batch, keep_on)
            except (torch.OutOfMemoryError, MemoryError) as error:
                if batch > 1:
                    batch //= 2
                    logger.warning("out of memory: %d windows at a time from now on", batch)
                elif keep_on is None and volume.device.type != "cpu":
                    keep_on = torch.device("cpu")
                    logger.warning("out of memory: putting windows together on the CPU")
                else:
                    raise MachineError(
                        "out of memory with one window at a time; take a smaller window, "
                        "coarser spacing, or a larger machine"
                    ) from error

    def _attempt(
        self,
        volume: Tensor,
        predict: Predictor,
        grid: GridMap | None,
        batch: int,
        keep_on: torch.device | None,
    ) -> Result:
        size = self.window_in(volume.shape[1:])
        padded, before = _padded(volume, size)
        # The longest: slabs are smallest across it, unless they are slices anyway.
        axis = int(np.argmax(padded.shape[1:])) if len(size) == len(self.window) else 2
        turned, turn = _turned(padded, axis), [axis, *_others(axis, len(size))]
        windows = plan_windows(
            turned.shape[1:],
            [size[a] for a in turn],
            overlap=self.overlap,
            blend=self.blend,
        )
        axes = range(len(turn))
        skip = self.skip(padded) if self.skip is not None else None
        slabs = logit_slabs(
            turned,
            lambda stack: _turned(predict(_turned_back(stack, axis)), axis, leading=2),
            windows,
            batch=batch,
            wanted=None if skip is None else lambda box: skip([box[turn.index(a)] for a in axes]),
            keep_on=keep_on,
        )
        in_network, in_source = _READINGS[self.gives]
        if grid is None:
            label = np.moveaxis(in_network(slabs), 0, axis)
            inside = tuple(slice(b, b + n) for b, n in zip(before, volume.shape[1:], strict=True))
            return np.ascontiguousarray(label[inside])
        return in_source(slabs, _shifted(grid, before), axis)


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


def _with_affine(label: Result, place: Place, inputs: Tensor) -> MetaTensor:
    meta = dict(meta_of(inputs)) if isinstance(inputs, MetaTensor) else {}
    if place.affine is not None:
        meta["affine"] = torch.as_tensor(place.affine)[None]
    return MetaTensor(torch.as_tensor(label)[None, None], meta=meta)
