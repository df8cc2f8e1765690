"""The probability of not being background, for what tells objects apart by it.

What is interpolated is the logit, whatever is done for labels: of two classes, one half is where
the label changes.
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
    """The probability of each voxel not to be background; `(*spatial)`."""
    parts = [torch.sigmoid(slab.logits[0]) for slab in _margins(slabs)]
    return torch.cat(parts).cpu().numpy()


def foreground_in_source_grid(
    slabs: Iterable[Slab],
    grid: GridMap,
    axis: int = 0,
    *,
    part: Part | None = None,
) -> NDArray[np.float32]:
    """Interpolate the probability not to be background to the source's grid.

    Args:
        slabs: Of logits, see `label_in_source_grid`.
        grid: How the grids lie.
        axis: Which of the network's axes the slabs run along.
        part: Which part of the network's grid the slabs are of, all of it if None; the rest is
            background.

    Returns:
        `(*spatial)` of the source, in [0, 1].
    """
    foreground = np.zeros(grid.shape, np.float32)
    for piece in source_pieces(_margins(slabs), grid, axis, part=part):
        (margin,) = piece_values(piece)
        found = torch.sigmoid(margin).cpu().numpy()
        grid.turned(foreground)[piece.where] = np.moveaxis(found, 0, axis)
    return foreground


def _margins(slabs: Iterable[Slab]) -> Iterator[Slab]:
    """In place of all logits, the one of not being background."""
    for slab in slabs:
        margin = slab.logits[1:].logsumexp(dim=0) - slab.logits[0]
        yield Slab(slab.start, margin[None])
