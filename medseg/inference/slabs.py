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

from medseg._checks import require_whole_number
from medseg.inference.region import Wanted
from medseg.inference.windows import Windows

__all__ = ["SLICES_AT_A_TIME", "Predictor", "Slab", "logit_slabs"]

# What a window that is not run says for class 0: a softmax makes nearly 1 of it.
_CERTAIN = 20.0

# Finished slices that are handed on at a time: what is made of them is small beside the slab.
SLICES_AT_A_TIME = 8

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
    wanted: Wanted | None = None,
    keep_on: torch.device | None = None,
) -> Iterator[Slab]:
    """Run a network over a volume, window by window.

    Args:
        volume: `(C, *spatial)`, as large as `windows` were planned for.
        predict: `(B, C, *window)` to logits `(B, K, *window)` float32, on its own device.
        windows: Where the windows are.
        batch: Windows a call, 1 or more.
        wanted: Asked for each window; one where it says no is not run, and counts as background
            for certain.
        keep_on: Where slabs are put together; with the network if None.

    Yields:
        The slabs, in order, without gap or overlap; what was yielded may be kept.
    """
    require_whole_number("batch", batch, at_least=1)
    ends = [*windows.starts[0][1:], volume.shape[1]]
    # Weighted logits, and after them the sum of the weights.
    slab: Tensor | None = None
    for row, (start, end) in enumerate(zip(windows.starts[0], ends, strict=True)):
        run, skipped = _sorted_out(windows, row, wanted)
        for places, logits in _runs(volume, predict, windows, run, batch):
            slab = _empty_slab(volume, logits, keep_on) if slab is None else slab
            for place, one in zip(places, logits, strict=True):
                _add(slab, windows, place, one)
        if slab is None:
            # Nothing is known of the classes yet: one window tells how many there are.
            _, logits = next(_runs(volume, predict, windows, skipped, 1))
            slab = _empty_slab(volume, logits, keep_on)
        certain = slab.new_zeros(len(slab) - 1, *(1,) * len(windows.size))
        certain[0] = _CERTAIN
        for place in skipped:
            _add(slab, windows, place, certain)
        done = end - start
        for first in range(0, done, SLICES_AT_A_TIME):
            part = slice(first, min(first + SLICES_AT_A_TIME, done))
            yield Slab(start + first, slab[:-1, part] / slab[-1:, part])
        _move_up(slab, done)


def _move_up(slab: Tensor, done: int) -> None:
    """Forget the first slices, in place: a second slab would be the most that there ever is."""
    depth = slab.shape[1]
    for first in range(0, depth - done, done):
        count = min(done, depth - done - first)
        slab[:, first : first + count] = slab[:, first + done : first + done + count]
    slab[:, depth - done :] = 0


def _sorted_out(
    windows: Windows, row: int, wanted: Wanted | None
) -> tuple[list[Place], list[Place]]:
    """The windows that begin at one slice: those to run, and those to skip."""
    run: list[Place] = []
    skipped: list[Place] = []
    for rest in product(*(range(len(starts)) for starts in windows.starts[1:])):
        place = (row, *rest)
        (run if wanted is None or wanted(_box(windows, place)) else skipped).append(place)
    return run, skipped


def _runs(
    volume: Tensor, predict: Predictor, windows: Windows, places: Sequence[Place], batch: int
) -> Iterator[tuple[Sequence[Place], Tensor]]:
    """The logits of windows, a batch at a time."""
    for first in range(0, len(places), batch):
        chosen = places[first : first + batch]
        boxes = [(slice(None), *_box(windows, place)) for place in chosen]
        yield chosen, predict(torch.stack([volume[box] for box in boxes]))


def _empty_slab(volume: Tensor, logits: Tensor, keep_on: torch.device | None) -> Tensor:
    """As deep as a window, as wide as the volume."""
    shape = (logits.shape[1] + 1, logits.shape[2], *volume.shape[2:])
    return logits.new_zeros(shape, device=keep_on or logits.device)


def _box(windows: Windows, place: Place) -> tuple[slice, ...]:
    starts = (starts[i] for starts, i in zip(windows.starts, place, strict=True))
    return tuple(slice(s, s + n) for s, n in zip(starts, windows.size, strict=True))


def _add(slab: Tensor, windows: Windows, place: Place, logits: Tensor) -> None:
    weight = torch.as_tensor(windows.weight, device=slab.device)
    window = (slice(None), slice(None), *_box(windows, place)[1:])
    part = slab[window]
    part[:-1].addcmul_(logits.to(slab.device), weight)
    part[-1] += weight
