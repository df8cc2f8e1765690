"""Sliding windows whose logits are finished, and forgotten, slab by slab.

A whole volume of logits is what makes others need more memory than a machine has: its size is
that of the volume times the classes. Windows are run in order along one axis, so that all
that lies behind the next window is finished and can be handed on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from medseg.inference.windows import Windows

__all__ = ["Predictor", "Slab", "logit_slabs"]

Predictor = Callable[[Tensor], Tensor]
Place = tuple[int, ...]


@dataclass(frozen=True)
class Slab:
    """A finished part of the logits.

    Attributes:
        start: Its first slice along the first spatial axis.
        logits: `(C, slices, *rest)`, float32.
    """

    start: int
    logits: Tensor


def logit_slabs(
    volume: Tensor,
    predict: Predictor,
    windows: Windows,
    *,
    batch: int = 1,
    wanted: Callable[[Sequence[slice]], bool] | None = None,
    keep_on: torch.device | None = None,
) -> Iterator[Slab]:
    """Run a network over a volume, window by window.

    Args:
        volume: `(C, *spatial)`, as large as `windows` were planned for.
        predict: `(B, C, *window)` to logits `(B, K, *window)` float32, on its own device.
        windows: Where the windows are.
        batch: Windows a call, 1 or more.
        wanted: Asked for each window; where it says no, the network is not run and adds
            nothing, so that a voxel in no wanted window has logits of 0.
        keep_on: Where slabs are put together; with the network if None.

    Yields:
        The slabs, in order, without gap or overlap; what was yielded may be kept.
    """
    if batch < 1:
        raise ValueError(f"batch must be 1 or more, got {batch}")
    depth = windows.size[0]
    ends = [*windows.starts[0][1:], volume.shape[1]]
    slab: Tensor | None = None
    empty = 0
    for row, (start, end) in enumerate(zip(windows.starts[0], ends, strict=True)):
        for places, logits in _runs(volume, predict, windows, row, batch, wanted):
            if slab is None:
                device = keep_on or logits.device
                slab = logits.new_zeros(logits.shape[1], depth, *volume.shape[2:], device=device)
            _add(slab, windows, row, places, logits)
        if slab is None:
            # Nothing is known of the classes yet; the slices follow when something is.
            empty += end - start
            continue
        if empty:
            yield Slab(start - empty, slab.new_zeros(len(slab), empty, *volume.shape[2:]))
            empty = 0
        done = end - start
        yield Slab(start, slab[:, :done].clone())
        slab = torch.cat((slab[:, done:], slab.new_zeros(len(slab), done, *slab.shape[2:])), dim=1)
    if empty:
        # No window was wanted: one call says how many classes there are.
        window = volume[(None, slice(None), *(slice(0, s) for s in windows.size))]
        classes = predict(window).shape[1]
        yield Slab(0, torch.zeros(classes, empty, *volume.shape[2:], device=keep_on))


def _runs(
    volume: Tensor,
    predict: Predictor,
    windows: Windows,
    row: int,
    batch: int,
    wanted: Callable[[Sequence[slice]], bool] | None,
) -> Iterator[tuple[list[Place], Tensor]]:
    """The logits of the windows that begin at one slice, a batch at a time."""
    places = [
        (row, *rest) for rest in product(*(range(len(starts)) for starts in windows.starts[1:]))
    ]
    boxes = {place: _box(windows, place) for place in places}
    places = [place for place in places if wanted is None or wanted(boxes[place])]
    for first in range(0, len(places), batch):
        chosen = places[first : first + batch]
        stack = torch.stack([volume[(slice(None), *boxes[place])] for place in chosen])
        yield chosen, predict(stack)


def _box(windows: Windows, place: Place) -> tuple[slice, ...]:
    starts = (starts[i] for starts, i in zip(windows.starts, place, strict=True))
    return tuple(slice(s, s + n) for s, n in zip(starts, windows.size, strict=True))


def _add(slab: Tensor, windows: Windows, row: int, places: Sequence[Place], logits: Tensor) -> None:
    axes = len(windows.size)
    for place, one in zip(places, logits, strict=True):
        for axis, index in enumerate(place):
            weight = torch.as_tensor(windows.weights[axis][index], device=one.device)
            one = one * weight.view(-1, *(1,) * (axes - 1 - axis))
        window = (slice(None), slice(None), *_box(windows, place)[1:])
        slab[window] += one.to(slab.device)
