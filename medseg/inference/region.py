"""Region of interest of a volume: the box that windows cover, and which windows to run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Box", "Part", "Region", "WindowFilter", "roomy_box", "whole"]

Box = tuple[slice, ...]
WindowFilter = Callable[[Sequence[slice]], bool]


@dataclass(frozen=True, eq=False)
class Region:
    """The region of a volume to predict; outside is background.

    Attributes:
        box: The box that windows cover.
        should_run: Whether to run the network on a window.
    """

    box: Box
    should_run: WindowFilter


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
    """The region that is a whole volume of spatial shape `shape`."""
    return Region(tuple(slice(0, size) for size in shape), lambda _: True)


def roomy_box(
    box: Sequence[slice], shape: Sequence[int], window: Sequence[int], overlap: float
) -> Box:
    """Grow a box as far as possible without needing more windows.

    Windows rarely end exactly at the end of a box, and the voxels beyond it cost nothing. If
    possible, the grown box starts at a window of the whole volume's grid, so that the network sees
    the same windows; else the additional context is equal on both sides.

    Args:
        box: Within the volume.
        shape: Of the volume, at least `window` along each axis.
        window: Voxels of a window along each axis.
        overlap: Overlap of neighbouring windows, as a fraction.
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
