"""From what the network says of each class to a label in the source's grid, a slab at a time.

Interpolating all classes to full size and taking the greatest is what fills the memory of other
tools: 25 classes of a chest CT are 8 GB. Here a slab's classes pass one by one, each is
interpolated and compared with the best so far, and only the winner's number stays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from medseg.inference.grid_map import GridMap
from medseg.inference.slabs import Slab

__all__ = ["Label", "Watch", "label_in_network_grid", "label_in_source_grid"]

Floats = NDArray[np.float64]
Label = NDArray[np.unsignedinteger]

# Slices of the source whose classes are compared at once: few enough to stay in cache.
_CHUNK = 8


class Watch(Protocol):
    """Who wants to see each class, and not only which was the greatest."""

    def begin(self, grid: GridMap, classes: int) -> None:
        """Told once, before the first class is shown; what is not shown is background."""
        ...

    def see(self, box: tuple[slice, ...], value: int, values: Tensor) -> None:
        """Shown every class of every part, class by class.

        Args:
            box: Which part of the source, as the network's axes run, see `GridMap.turned`.
            value: The class.
            values: As large as the box.
        """
        ...


def label_in_network_grid(slabs: Iterable[Slab]) -> Label:
    """The class of the greatest value of each voxel; `(*spatial)`, uint8 or uint16."""
    # max over a leading axis is six times as fast as argmax over it.
    parts = [_stored(slab.logits.max(dim=0).indices, len(slab.logits)) for slab in slabs]
    return np.concatenate(parts)


def label_in_source_grid(
    slabs: Iterable[Slab],
    grid: GridMap,
    axis: int = 0,
    *,
    box: Sequence[slice] | None = None,
    shape: Sequence[int] | None = None,
    watch: Watch | None = None,
) -> Label:
    """Interpolate each class linearly to the source's grid, and name the greatest.

    Args:
        slabs: Along the network grid's axis `axis`, in order, 2 or 3 spatial axes, that axis first.
        grid: How the grids lie.
        axis: Which of the network's axes the slabs run along.
        box: Which part of the network's grid the slabs are of; the rest is background. All of it
            if None.
        shape: Of the network's grid, with `box`.
        watch: Sees each class.

    Returns:
        `(*spatial)` of the source, uint8, or uint16 from 256 classes on. Voxels outside the
        network's grid take its nearest values.
    """
    order = [axis, *(a for a in range(len(grid.axes)) if a != axis)]
    starts = [part.start for part in box] if box else [0] * len(order)
    ranges = grid.within(box, shape) if box and shape else tuple(_everything(grid))
    places = [grid.places(a)[ranges[a]] - starts[a] for a in order]
    label: Label | None = None
    for done, part, rows, plane in _pieces(slabs, places):
        if label is None:
            label = np.zeros(grid.shape, _dtype(len(part)))
            if watch is not None:
                watch.begin(grid, len(part))
        first = ranges[axis].start + done
        where = [*ranges]
        where[axis] = slice(first, first + len(rows))
        seen = None if watch is None else _turned(watch, tuple(where), axis)
        found = _stored(_chunk_label(part, rows, plane, seen), len(part))
        grid.turned(label)[tuple(where)] = np.moveaxis(found, 0, axis)
    return np.zeros(grid.shape, np.uint8) if label is None else label


def _everything(grid: GridMap) -> list[slice]:
    return [slice(0, grid.shape[axis]) for axis in grid.axes]


def _pieces(
    slabs: Iterable[Slab], places: Sequence[Floats]
) -> Iterator[tuple[int, Tensor, Floats, Sequence[Floats]]]:
    """How many places are done; values with the next places that they suffice for.

    Places along the slabs' axis are counted from the values' first slice.
    """
    wanted = np.maximum(places[0], 0)
    kept: Tensor | None = None
    first = done = 0
    for slab in slabs:
        kept = slab.logits if kept is None else torch.cat((kept, slab.logits), dim=1)
        last = slab.start + slab.logits.shape[1] - 1
        ready = int(np.searchsorted(wanted, last, side="right"))
        for chunk in range(done, ready, _CHUNK):
            yield chunk, kept, wanted[chunk : min(chunk + _CHUNK, ready)] - first, places[1:]
        done = max(done, ready)
        # The last slice stays: places up to the next one lie between the two.
        kept, first = kept[:, -1:], last
    if kept is not None and done < len(wanted):
        for chunk in range(done, len(wanted), _CHUNK):
            yield chunk, kept, np.zeros(len(wanted[chunk : chunk + _CHUNK])), places[1:]


def _turned(watch: Watch, box: tuple[slice, ...], axis: int) -> Callable[[int, Tensor], None]:
    def see(value: int, values: Tensor) -> None:
        watch.see(box, value, values.movedim(0, axis))

    return see


def _chunk_label(
    logits: Tensor,
    rows: Floats,
    places: Sequence[Floats],
    see: Callable[[int, Tensor], None] | None,
) -> Tensor:
    low = int(np.floor(rows.min()))
    used = logits[:, low : int(np.ceil(rows.max())) + 1]
    between = _between(rows - low, used.shape[1], used)
    units = _plane_units(places, used)
    dtype = torch.uint8 if len(logits) <= 256 else torch.int32
    best = label = None
    for value, planes in enumerate(used):
        spread = _spread_planes(planes, units)
        values = (between @ spread.flatten(1)).view(len(rows), *spread.shape[1:])
        if see is not None:
            see(value, values)
        if best is None or label is None:
            best = values
            label = torch.zeros_like(values, dtype=dtype)
            continue
        # Classes come in ascending order, so the greatest number that won is the last to win: a
        # maximum of bytes, in place of a choice that takes sixty times as long.
        label = torch.maximum(label, (values > best).to(dtype) * value)
        best = torch.maximum(best, values)
    return label if label is not None else torch.zeros(0)


def _between(rows: Floats, count: int, like: Tensor) -> Tensor:
    """`(rows, count)`: how much of each slice each row takes."""
    lower = np.clip(np.floor(rows).astype(int), 0, max(count - 2, 0))
    share = np.clip(rows - lower, 0, 1)
    matrix = np.zeros((len(rows), count))
    index = np.arange(len(rows))
    matrix[index, lower] = 1 - share
    if count > 1:
        matrix[index, lower + 1] += share
    else:
        matrix[index, lower] = 1
    return torch.as_tensor(matrix, dtype=like.dtype, device=like.device)


def _plane_units(places: Sequence[Floats], like: Tensor) -> Tensor:
    """`(1, *plane, 2)` for `grid_sample`; a line is a plane one voxel high."""
    sizes = like.shape[2:]
    units = [(2 * p + 1) / n - 1 for p, n in zip(places, sizes, strict=True)]
    if len(units) == 1:
        units = [np.zeros(1), *units]
    mesh = np.stack(np.meshgrid(units[1], units[0]), axis=-1)
    return torch.as_tensor(mesh, dtype=like.dtype, device=like.device)[None]


def _spread_planes(planes: Tensor, units: Tensor) -> Tensor:
    flat = planes[:, None] if planes.ndim == 2 else planes
    sampled = grid_sample(flat[None], units, "bilinear", "border", align_corners=False)[0]
    return sampled[:, 0] if planes.ndim == 2 else sampled


def _dtype(classes: int) -> type[np.unsignedinteger]:
    return np.uint8 if classes <= 256 else np.uint16


def _stored(label: Tensor, classes: int) -> Label:
    return label.cpu().numpy().astype(_dtype(classes), copy=False)
