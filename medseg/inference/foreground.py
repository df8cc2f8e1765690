"""Foreground probability (of any class but background), in the network's or the source's grid.

Used to separate objects, see `medseg.inference.cells`. The logit is interpolated, whatever is
chosen for labels: with two classes, the probability is 0.5 where the label changes.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from medseg.inference.grid_map import GridMap
from medseg.inference.region import Part
from medseg.inference.slabs import Slab
from medseg.inference.source_grid import piece_values, source_pieces

__all__ = ["foreground_in_network_grid", "foreground_in_source_grid"]


def foreground_in_network_grid(slabs: Iterable[Slab]) -> NDArray[np.float32]:
    """Foreground probability in the network's grid; `(*spatial)`."""
    parts = [torch.sigmoid(slab.logits[0]) for slab in _margins(slabs)]
    return torch.cat(parts).cpu().numpy()


def foreground_in_source_grid(
    slabs: Iterable[Slab],
    grid: GridMap,
    axis: int = 0,
    *,
    part: Part | None = None,
) -> NDArray[np.float32]:
    """Foreground probability, interpolated to the source's grid.

    Args:
        slabs: Of logits, see `label_in_source_grid`.
        grid: Map between the grids.
        axis: Axis of the network's grid along which the slabs are ordered.
        part: Part of the network's grid that the slabs cover, None for all of it; the rest is
            background.

    Returns:
        `(*spatial)` of the source, in [0, 1].
    """
    foreground = np.zeros(grid.shape, np.float32)
    for piece in source_pieces(_margins(slabs), grid, axis, part=part):
        (margin,) = piece_values(piece)
        probability = torch.sigmoid(margin).cpu().numpy()
        grid.turned(foreground)[piece.where] = np.moveaxis(probability, 0, axis)
    return foreground


def _margins(slabs: Iterable[Slab]) -> Iterator[Slab]:
    """Reduce the logits of each slab to the logit of foreground."""
    for slab in slabs:
        margin = slab.logits[1:].logsumexp(dim=0) - slab.logits[0]
        yield Slab(slab.start, margin[None])
