"""Padding of volumes, and moving the slab axis to the front and back."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import pad

from medseg.inference.grid_map import GridMap

__all__ = ["others", "padded_to", "shifted", "turned", "turned_back"]


def padded_to(volume: Tensor, window: Sequence[int]) -> tuple[Tensor, list[int]]:
    """Pad a volume with zeros to at least a window; also return the padding before each axis."""
    missing = [max(w - n, 0) for w, n in zip(window, volume.shape[1:], strict=True)]
    before = [m // 2 for m in missing]
    ends = [e for m, b in zip(missing, before, strict=True) for e in (m - b, b)]
    return (pad(volume, ends[::-1]) if any(missing) else volume), before


def shifted(grid: GridMap, before: Sequence[int]) -> GridMap:
    """The map to a network grid that is padded by `before` voxels."""
    offset = tuple(o + b for o, b in zip(grid.offset, before, strict=True))
    return GridMap(grid.axes, grid.scale, offset, grid.shape)


def others(axis: int, axes: int) -> list[int]:
    """All axes but `axis`."""
    return [a for a in range(axes) if a != axis]


def turned(tensor: Tensor, axis: int, leading: int = 1) -> Tensor:
    """Move a spatial axis to the front of the spatial axes."""
    return tensor.movedim(leading + axis, leading)


def turned_back(stack: Tensor, axis: int) -> Tensor:
    """Undo `turned` for a batch: move the first spatial axis back to `axis`."""
    return stack.movedim(2, 2 + axis).contiguous()
