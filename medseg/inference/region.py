"""Where in a volume a network is run: a box that windows are laid over, and which of them count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Box", "Part", "Region", "Wanted", "roomy_box", "whole"]

Box = tuple[slice, ...]
Wanted = Callable[[Sequence[slice]], bool]


@dataclass(frozen=True, eq=False)
class Region:
    """A part of a volume; what lies outside is background.

    Attributes:
        box: What windows are laid over.
        wanted: Asked for each of them; where it says no, the network is not run.
    """

    box: Box
    wanted: Wanted


@dataclass(frozen=True)
class Part:
    """A part of a grid.

    Attributes:
        box: The part.
        shape: Of the whole grid.
    """

    box: Box
    shape: tuple[int, ...]


def whole(shape: Sequence[int]) -> Region:
    """All of a volume with spatial shape `shape`."""
    return Region(tuple(slice(0, size) for size in shape), lambda _: True)


def roomy_box(
    box: Sequence[slice], shape: Sequence[int], window: Sequence[int], overlap: float
) -> Box:
    """A box around a box that takes as many windows, and no more, to cover.

    Windows rarely end where a box does. What they hold beyond it costs nothing: where it can, the
    box begins where a window over the whole volume would, so that the network sees the same; else
    there is as much context on both sides.

    Args:
        box: Within the volume.
        shape: Of the volume, at least `window` along each axis.
        window: Voxels of a window along each axis.
        overlap: Share of a window that the next one shares.
    """
    axes = zip(box, shape, window, strict=True)
    return tuple(_roomy(part, length, size, overlap) for part, length, size in axes)


def _roomy(part: slice, length: int, window: int, overlap: float) -> slice:
    step = max(1, int(window * (1 - overlap)))
    needed = part.stop - part.start
    more = -(-max(needed - window, 0) // step)
    span = min(window + more * step, length)
    first, last = max(part.stop - span, 0), min(part.start, length - span)
    middle = part.start - (span - needed) // 2
    in_step = last // step * step
    start = in_step if in_step >= first else min(max(middle, first), last)
    return slice(start, start + span)
