"""Branching tubes: pulmonary vessels and airways of a chest phantom.

A tree is grown by recursively halving a cloud of end points and growing part of the way towards
each half, so it fills a lung of any shape; the radius of a branch follows from its number of end
points by Murray's law.

Reference:
    Murray, The physiological principle of minimum work, PNAS 1926. Real lungs have
    exponents between 2 and 3. https://doi.org/10.1073/pnas.12.3.207
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.data.phantoms.grid import Field, Grid

__all__ = ["Tubes", "draw_tubes", "grow_tree"]

Points = NDArray[np.float64]
MURRAY = 2.6
# Radii, in voxels, that separate the batches in which tubes are drawn.
_BATCH_LIMITS = np.array([0.5, 1.0, 2.0, 3.5, 6.0, 12.0])


@dataclass(frozen=True, eq=False)
class Tubes:
    """Straight tubes in the body's frame.

    Attributes:
        starts_mm: `(N, 3)`.
        ends_mm: `(N, 3)`.
        radii_mm: `(N,)`.
    """

    starts_mm: Points
    ends_mm: Points
    radii_mm: Points

    @classmethod
    def along(cls, points_mm: list[tuple[float, float, float]], radius_mm: float) -> "Tubes":
        """One tube along a Catmull-Rom spline through the points."""
        points = np.array(points_mm)
        padded = np.concatenate(
            [[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]]
        )
        t = np.linspace(0, 1, 5)[:, None]
        path = np.concatenate(
            [_catmull_rom(padded[i : i + 4], t)[:-1] for i in range(len(points) - 1)]
            + [points[-1:]]
        )
        return cls(path[:-1], path[1:], np.full(len(path) - 1, radius_mm))

    def wider(self, by_mm: float) -> "Tubes":
        """The same tubes with larger radii."""
        return Tubes(self.starts_mm, self.ends_mm, self.radii_mm + by_mm)


def grow_tree(
    rng: np.random.Generator, root_mm: Points, targets_mm: Points, *, radius_mm: float
) -> Tubes:
    """Grow a tree from a root to every target.

    Args:
        rng: The only source of randomness.
        root_mm: `(3,)`.
        targets_mm: `(N, 3)`, N >= 1.
        radius_mm: Radius at the root.
    """
    starts: list[Points] = []
    ends: list[Points] = []
    radii: list[float] = []
    pending = [(root_mm, targets_mm)]
    while pending:
        start, group = pending.pop()
        for part in _halves(group):
            last = len(part) == 1
            share = 1.0 if last else rng.uniform(0.3, 0.5)
            way = part.mean(axis=0) - start
            bend = rng.normal(0, 0.06, 3) * np.linalg.norm(way) * share
            middle, end = start + 0.5 * share * way + bend, start + share * way
            radius = radius_mm * (len(part) / len(targets_mm)) ** (1 / MURRAY)
            starts += [start, middle]
            ends += [middle, end]
            radii += [radius, radius * (0.75 if last else 1.0)]
            if not last:
                pending.append((end, part))
    return Tubes(np.array(starts), np.array(ends), np.array(radii))


def draw_tubes(grid: Grid, tubes: Tubes) -> Field:
    """Fraction of each voxel filled by the tubes, `(I, J, K)` in [0, 1].

    A tube thinner than a voxel fills a part of it (partial volume).
    """
    share = np.zeros(grid.shape, np.float32)
    width = grid.spacing_mm[0]
    starts, ends = grid.to_voxels(tubes.starts_mm), grid.to_voxels(tubes.ends_mm)
    # Batches of similar radii: the boxes of a batch have the size of its widest tube.
    order = np.argsort(tubes.radii_mm, kind="stable")
    for batch in np.split(order, np.searchsorted(tubes.radii_mm[order], width * _BATCH_LIMITS)):
        if len(batch) > 0:
            middles, halves, radii = _pieces(grid, starts, ends, tubes.radii_mm, batch)
            _draw_pieces(grid, share, middles, halves, radii)
    return share


def _catmull_rom(four: Points, t: Points) -> Points:
    a, b, c, d = four
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )


def _halves(group: Points) -> tuple[Points, ...]:
    """Halve points along their longest direction."""
    if len(group) == 1:
        return (group,)
    centred = group - group.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(centred @ vectors[:, -1], kind="stable")
    return group[order[: len(group) // 2]], group[order[len(group) // 2 :]]


def _pieces(
    grid: Grid, starts: Points, ends: Points, radii: Points, batch: NDArray[np.intp]
) -> tuple[Points, Points, Points]:
    """Cut tubes, given in voxels, into pieces of about two voxels: centre, half vector, radius."""
    ways = ends[batch] - starts[batch]
    lengths = np.linalg.norm(ways * grid.spacing_mm, axis=1)
    counts = np.maximum(np.ceil(lengths / (2 * grid.spacing_mm[0])), 1).astype(int)
    tube = np.repeat(np.arange(len(batch)), counts)
    place = np.arange(len(tube)) - np.repeat(np.cumsum(counts) - counts, counts)
    middles = starts[batch][tube] + ways[tube] * ((place + 0.5) / counts[tube])[:, None]
    return middles, ways[tube] / (2 * counts[tube])[:, None], radii[batch][tube]


def _draw_pieces(grid: Grid, share: Field, middles: Points, halves: Points, radii: Points) -> None:
    spacing = np.array(grid.spacing_mm, np.float32)
    width = float(spacing[0])
    reach = np.ceil((1.5 * width + radii.max()) / spacing).astype(int)
    box = np.indices(tuple(2 * reach + 1)).reshape(3, -1).T - reach
    voxels = np.rint(middles).astype(int)[:, None] + box
    steps = ((voxels - middles[:, None]) * spacing).astype(np.float32)
    ways = (halves * spacing).astype(np.float32)[:, None]
    along = (steps * ways).sum(axis=-1) / np.maximum((ways * ways).sum(axis=-1), 1e-6)
    steps -= np.clip(along, -1, 1)[..., None] * ways
    distance = np.sqrt((steps * steps).sum(axis=-1))
    radius = radii[:, None].astype(np.float32)
    filled = np.clip((radius - distance) / width + 0.5, 0, 1) * np.minimum(1, 2 * radius / width)
    seen = (filled > 0) & ((voxels >= 0) & (voxels < grid.shape)).all(axis=-1)
    indices = np.ravel_multi_index(tuple(voxels[seen].T), grid.shape)
    np.maximum.at(share.ravel(), indices, filled[seen])
