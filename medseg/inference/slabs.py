"""Sliding-window inference in slabs: logits are blended and passed on slab by slab.

The logits of a whole volume may need more memory than a machine has: their size is that of the
volume times the classes. Windows are run in order along one axis, so that all logits before the
next window are finished, can be passed on and freed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from medseg._checks import require_whole_number
from medseg.inference.region import WindowFilter
from medseg.inference.windows import Windows

__all__ = ["SLICES_AT_A_TIME", "Predictor", "Slab", "logit_slabs"]

# Logit of class 0 in a skipped window: its softmax is nearly 1.
_CERTAIN = 20.0

# Finished slices passed on at a time: temporary copies of them are small compared with the slab.
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
    should_run: WindowFilter | None = None,
    keep_on: torch.device | None = None,
) -> Iterator[Slab]:
    """Run a network over a volume, window by window.

    Args:
        volume: `(C, *spatial)`, as large as `windows` were planned for.
        predict: `(B, C, *window)` to logits `(B, K, *window)` float32, on its own device.
        windows: Where the windows are.
        batch: Windows per call, 1 or more.
        should_run: Whether to run a window; skipped ones are background with certainty.
        keep_on: Device on which slabs are blended; None is the network's.

    Yields:
        The slabs, in order, without gap or overlap; later steps do not change them.
    """
    require_whole_number("batch", batch, at_least=1)
    ends = [*windows.starts[0][1:], volume.shape[1]]
    # Weighted sum of logits; the last channel is the sum of weights.
    slab: Tensor | None = None
    for row, (start, end) in enumerate(zip(windows.starts[0], ends, strict=True)):
        run, skipped = _sorted_out(windows, row, should_run)
        for places, logits in _runs(volume, predict, windows, run, batch):
            slab = _empty_slab(volume, logits, keep_on) if slab is None else slab
            for place, one in zip(places, logits, strict=True):
                _add(slab, windows, place, one)
        if slab is None:
            # All windows so far were skipped: run one to learn the number of classes.
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
    """Drop the first slices, in place: a second slab would double the peak memory."""
    depth = slab.shape[1]
    for first in range(0, depth - done, done):
        count = min(done, depth - done - first)
        slab[:, first : first + count] = slab[:, first + done : first + done + count]
    slab[:, depth - done :] = 0


def _sorted_out(
    windows: Windows, row: int, should_run: WindowFilter | None
) -> tuple[list[Place], list[Place]]:
    """Windows that start at one slice: those to run, and those to skip."""
    run: list[Place] = []
    skipped: list[Place] = []
    for rest in product(*(range(len(starts)) for starts in windows.starts[1:])):
        place = (row, *rest)
        (run if should_run is None or should_run(_box(windows, place)) else skipped).append(place)
    return run, skipped


def _runs(
    volume: Tensor, predict: Predictor, windows: Windows, places: Sequence[Place], batch: int
) -> Iterator[tuple[Sequence[Place], Tensor]]:
    """Yield the logits of windows, batch by batch."""
    for first in range(0, len(places), batch):
        chosen = places[first : first + batch]
        boxes = [(slice(None), *_box(windows, place)) for place in chosen]
        yield chosen, predict(torch.stack([volume[box] for box in boxes]))


def _empty_slab(volume: Tensor, logits: Tensor, keep_on: torch.device | None) -> Tensor:
    """Zeros of the depth of a window and the width of the volume."""
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
