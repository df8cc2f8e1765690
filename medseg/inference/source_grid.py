"""Resample class scores to the source grid and take the arg-max, slab by slab.

Interpolating all classes to full size before the arg-max is what fills the memory of other tools:
25 classes of a chest CT are 8 GB. Here the classes of a slab are interpolated one by one and
compared with the best so far, and only the index of the best is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from medseg.inference.grid_map import GridMap
from medseg.inference.region import Part
from medseg.inference.slabs import Slab

__all__ = [
    "Label",
    "Piece",
    "Watch",
    "label_in_network_grid",
    "label_in_source_grid",
    "piece_values",
    "source_pieces",
]

Floats = NDArray[np.float64]
Label = NDArray[np.unsignedinteger]

# Source slices per step: few enough to stay in the cache.
_CHUNK = 8


class Watch(Protocol):
    """Observer of the scores of all classes, of which the label keeps only the arg-max."""

    def begin(self, grid: GridMap, classes: int) -> None:
        """Called once, before the first class; parts that are never passed on are background."""
        ...

    def see(self, box: tuple[slice, ...], value: int, values: Tensor) -> None:
        """Called with every class of every part, class by class.

        Args:
            box: Part of the source, in the network's axis order, see `GridMap.turned`.
            value: The class.
            values: Its scores, of the box's shape.
        """
        ...


class Piece(NamedTuple):
    """Values that are interpolated in one step.

    Attributes:
        where: Part of the source, in the network's axis order, see `GridMap.turned`.
        values: `(C, slices, *rest)`, the slabs' axis first.
        rows: Sampling positions along that axis, relative to the first slice.
        plane: Sampling positions along the other axes.
    """

    where: tuple[slice, ...]
    values: Tensor
    rows: Floats
    plane: Sequence[Floats]


def label_in_network_grid(slabs: Iterable[Slab]) -> Label:
    """Arg-max of the classes in the network's grid; `(*spatial)`, uint8 or uint16."""
    # max over a leading axis is six times as fast as argmax over it.
    parts = [_stored(slab.logits.max(dim=0).indices, len(slab.logits)) for slab in slabs]
    return np.concatenate(parts)


def label_in_source_grid(
    slabs: Iterable[Slab],
    grid: GridMap,
    axis: int = 0,
    *,
    part: Part | None = None,
    watch: Watch | None = None,
) -> Label:
    """Interpolate each class linearly to the source's grid, and take the arg-max.

    Args:
        slabs: Along the network grid's axis `axis`, in order, 2 or 3 spatial axes, that axis first.
        grid: Map between the grids.
        axis: Axis of the network's grid along which the slabs are ordered.
        part: Part of the network's grid that the slabs cover, None for all of it; the rest is
            background.
        watch: Observer of each class.

    Returns:
        `(*spatial)` of the source, uint8, or uint16 from 256 classes on. Voxels outside the
        network's grid take its nearest values.
    """
    label: Label | None = None
    for piece in source_pieces(slabs, grid, axis, part=part):
        classes = len(piece.values)
        if label is None:
            label = np.zeros(grid.shape, _dtype(classes))
            if watch is not None:
                watch.begin(grid, classes)
        see = None if watch is None else _turned(watch, piece.where, axis)
        chunk = _stored(_chunk_label(piece, see), classes)
        grid.turned(label)[piece.where] = np.moveaxis(chunk, 0, axis)
        del piece  # frees its slab before the next one is computed
    return np.zeros(grid.shape, np.uint8) if label is None else label


def source_pieces(
    slabs: Iterable[Slab],
    grid: GridMap,
    axis: int,
    *,
    part: Part | None,
) -> Iterator[Piece]:
    """Cut slabs into pieces for interpolation; arguments as in `label_in_source_grid`."""
    order = [axis, *(a for a in range(len(grid.axes)) if a != axis)]
    ranges = grid.within(part) if part else tuple(slice(0, grid.shape[a]) for a in grid.axes)
    starts = [side.start for side in part.box] if part else [0] * len(order)
    places = [grid.places(a)[ranges[a]] - starts[a] for a in order]

    def piece(ready: tuple[int, Tensor, Floats]) -> Piece:
        done, values, rows = ready
        first = ranges[axis].start + done
        where = [*ranges]
        where[axis] = slice(first, first + len(rows))
        return Piece(tuple(where), values, rows, places[1:])

    return map(piece, _pieces(slabs, places[0]))


def piece_values(piece: Piece) -> Iterator[Tensor]:
    """Yield each class interpolated, `(rows, *rest)`."""
    low = int(np.floor(piece.rows.min()))
    used = piece.values[:, low : int(np.ceil(piece.rows.max())) + 1]
    between = _between(piece.rows - low, used.shape[1], used)
    units = _plane_units(piece.plane, used)
    for planes in used:
        spread = _spread_planes(planes, units)
        yield (between @ spread.flatten(1)).view(len(piece.rows), *spread.shape[1:])


def _pieces(slabs: Iterable[Slab], places: Floats) -> Iterator[tuple[int, Tensor, Floats]]:
    """Yield the number of positions done, the values, and the next positions within them.

    Positions are relative to the first slice of the values.
    """
    positions = np.maximum(places, 0)
    kept: Tensor | None = None
    first = done = 0
    for slab in slabs:
        kept = slab.logits if kept is None else torch.cat((kept, slab.logits), dim=1)
        last = slab.start + slab.logits.shape[1] - 1
        ready = int(np.searchsorted(positions, last, side="right"))
        for chunk in range(done, ready, _CHUNK):
            yield chunk, kept, positions[chunk : min(chunk + _CHUNK, ready)] - first
        done = max(done, ready)
        # Keep the last slice, for positions between it and the next one; free the rest.
        kept, first = kept[:, -1:].clone(), last
        del slab
    if kept is not None and done < len(positions):
        for chunk in range(done, len(positions), _CHUNK):
            yield chunk, kept, np.zeros(len(positions[chunk : chunk + _CHUNK]))


def _turned(watch: Watch, box: tuple[slice, ...], axis: int) -> Callable[[int, Tensor], None]:
    def see(value: int, values: Tensor) -> None:
        watch.see(box, value, values.movedim(0, axis))

    return see


def _chunk_label(piece: Piece, see: Callable[[int, Tensor], None] | None) -> Tensor:
    dtype = torch.uint8 if len(piece.values) <= 256 else torch.int32
    best = label = None
    for value, values in enumerate(piece_values(piece)):
        if see is not None:
            see(value, values)
        if best is None or label is None:
            best = values
            label = torch.zeros_like(values, dtype=dtype)
            continue
        # Classes come in ascending order, so the last class that exceeded the best so far is the
        # greatest: a maximum of bytes, sixty times as fast as torch.where.
        label = torch.maximum(label, (values > best).to(dtype) * value)
        best = torch.maximum(best, values)
    return label if label is not None else torch.zeros(0)


def _between(rows: Floats, count: int, like: Tensor) -> Tensor:
    """Linear interpolation matrix, `(rows, count)`: weight of each slice for each row."""
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
    """Grid for `grid_sample`, `(1, *plane, 2)`; a line becomes a plane one voxel high."""
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
