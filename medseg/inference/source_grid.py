"""From what the network says of each class to a label in the source's grid, a slab at a time.

Interpolating all classes to full size and taking the greatest is what fills the memory of other
tools: 25 classes of a chest CT are 8 GB. Here a slab's classes pass one by one, each is
interpolated and compared with the best so far, and only the winner's number stays.
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


class Piece(NamedTuple):
    """What is interpolated at a time.

    Attributes:
        where: Which part of the source it fills, as the network's axes run, see `GridMap.turned`.
        values: `(C, slices, *rest)`, the slabs' axis first.
        rows: Places along it, counted from the first slice.
        plane: Places along the others.
    """

    where: tuple[slice, ...]
    values: Tensor
    rows: Floats
    plane: Sequence[Floats]


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
    part: Part | None = None,
    watch: Watch | None = None,
) -> Label:
    """Interpolate each class linearly to the source's grid, and name the greatest.

    Args:
        slabs: Along the network grid's axis `axis`, in order, 2 or 3 spatial axes, that axis first.
        grid: How the grids lie.
        axis: Which of the network's axes the slabs run along.
        part: Which part of the network's grid the slabs are of, all of it if None; the rest is
            background.
        watch: Sees each class.

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
        found = _stored(_chunk_label(piece, see), classes)
        grid.turned(label)[piece.where] = np.moveaxis(found, 0, axis)
        del piece  # or its slab would wait while the next one is computed
    return np.zeros(grid.shape, np.uint8) if label is None else label


def source_pieces(
    slabs: Iterable[Slab],
    grid: GridMap,
    axis: int,
    *,
    part: Part | None,
) -> Iterator[Piece]:
    """Cut what slabs hold into what is interpolated at a time; arguments as above."""
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
    """Each class interpolated, `(rows, *rest)`, one at a time."""
    low = int(np.floor(piece.rows.min()))
    used = piece.values[:, low : int(np.ceil(piece.rows.max())) + 1]
    between = _between(piece.rows - low, used.shape[1], used)
    units = _plane_units(piece.plane, used)
    for planes in used:
        spread = _spread_planes(planes, units)
        yield (between @ spread.flatten(1)).view(len(piece.rows), *spread.shape[1:])


def _pieces(slabs: Iterable[Slab], places: Floats) -> Iterator[tuple[int, Tensor, Floats]]:
    """How many places are done; values with the next places that they suffice for.

    Places are counted from the values' first slice.
    """
    wanted = np.maximum(places, 0)
    kept: Tensor | None = None
    first = done = 0
    for slab in slabs:
        kept = slab.logits if kept is None else torch.cat((kept, slab.logits), dim=1)
        last = slab.start + slab.logits.shape[1] - 1
        ready = int(np.searchsorted(wanted, last, side="right"))
        for chunk in range(done, ready, _CHUNK):
            yield chunk, kept, wanted[chunk : min(chunk + _CHUNK, ready)] - first
        done = max(done, ready)
        # The last slice stays: places up to the next one lie between the two. The rest makes room.
        kept, first = kept[:, -1:].clone(), last
        del slab
    if kept is not None and done < len(wanted):
        for chunk in range(done, len(wanted), _CHUNK):
            yield chunk, kept, np.zeros(len(wanted[chunk : chunk + _CHUNK]))


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
