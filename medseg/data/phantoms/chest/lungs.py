"""Healthy lungs of a chest phantom: parenchyma, vessels and airways.

They contain structures that are easily confused with infection: density that increases towards the
back, dependent atelectasis, plate-like atelectasis, fissures and patchy aeration all have the
Hounsfield units of ground glass and are labelled lung.
"""

from dataclasses import dataclass

import numpy as np

from medseg.data.phantoms.chest.body import Shapes
from medseg.data.phantoms.chest.trees import Tubes, draw_tubes, grow_tree
from medseg.data.phantoms.grid import Field, Grid, profile

__all__ = ["Trees", "grow_trees", "paint_parenchyma"]

# Number of end points of each tree in each lung.
VESSEL_ENDS, AIRWAY_ENDS = 280, 24


@dataclass(frozen=True, eq=False)
class Trees:
    """Vessels and airways, as fractions of the voxels, `(I, J, K)` in [0, 1].

    Attributes:
        vessels: Pulmonary arteries and veins.
        walls: Airways with their walls.
        lumens: Air in the airways.
        trunk: Trachea and main bronchi with their walls, which are not part of the lung.
    """

    vessels: Field
    walls: Field
    lumens: Field
    trunk: Field


def grow_trees(rng: np.random.Generator, grid: Grid, shapes: Shapes) -> Trees:
    """Grow vessels and airways into both lungs."""
    trunk = Tubes.along([(0, 0, 118), (1, -6, 60), (2, -12, 6)], 8.5)
    shares = [draw_tubes(grid, trunk.wider(1.5))]
    lumens = [draw_tubes(grid, trunk)]
    walls: list[Field] = []
    vessels: list[Field] = []
    for side, hilum in ((1, (36.0, -14.0, -20.0)), (-1, (-42.0, -18.0, -26.0))):
        bronchus = Tubes.along([(2, -12, 8), (0.5 * hilum[0], -13, -6), hilum], 5.8)
        shares.append(draw_tubes(grid, bronchus.wider(1.4)))
        lumens.append(draw_tubes(grid, bronchus))
        inside = np.flatnonzero((shapes.lung > 6) & (side * grid.x > 0))
        root = np.array(hilum)
        airway = _tree(rng, grid, inside, root, ends=AIRWAY_ENDS, radius_mm=4.6)
        walls.append(draw_tubes(grid, airway.wider(0.8)))
        lumens.append(draw_tubes(grid, airway))
        for shift in ((0, 6, 5), (0, 8, -12)):
            vessel = _tree(rng, grid, inside, root + shift, ends=VESSEL_ENDS, radius_mm=8.5)
            vessels.append(draw_tubes(grid, vessel))
    return Trees(
        vessels=_union(vessels),
        walls=_union(walls + shares),
        lumens=_union(lumens),
        trunk=_union(shares),
    )


def paint_parenchyma(rng: np.random.Generator, grid: Grid, shapes: Shapes) -> Field:
    """Aerated lung, `(I, J, K)` in HU; meaningful inside the lung only."""
    patchy = grid.noise(rng, scale_mm=28)
    fine = grid.noise(rng, scale_mm=6)
    low = grid.noise(rng, scale_mm=14)
    back = np.clip((40 - grid.y) / 120, 0, 1)
    base = rng.uniform(-890, -845)
    density = base + rng.uniform(40, 100) * back + 14 * low + 16 * fine
    density += rng.uniform(0, 150) * np.clip(0.5 + patchy, 0, 1)
    density += _dependent(rng, grid, shapes, patchy)
    density += _fissures(grid, 5 * patchy + 2 * low)
    for _ in range(rng.integers(0, 4)):
        density += _plate(rng, grid, shapes, low)
    return density


def _tree(
    rng: np.random.Generator,
    grid: Grid,
    inside: np.ndarray[tuple[int], np.dtype[np.int64]],
    root: np.ndarray[tuple[int], np.dtype[np.float64]],
    *,
    ends: int,
    radius_mm: float,
) -> Tubes:
    chosen = rng.choice(inside, size=min(ends, len(inside)), replace=False)
    voxels = np.stack(np.unravel_index(chosen, grid.shape), axis=1)
    return grow_tree(rng, root, grid.to_body(voxels), radius_mm=radius_mm)


def _dependent(rng: np.random.Generator, grid: Grid, shapes: Shapes, patchy: Field) -> Field:
    """Dependent atelectasis along the posterior pleura, absent in a fifth of the cases."""
    strength = rng.uniform(150, 600) * (rng.random() < 0.8)
    thickness = rng.uniform(5, 13)
    low = profile(grid.z, [(-120, 1.0), (40, 0.15)])
    posterior = profile(grid.y, [(-72, 1.0), (-38, 0.0)])
    rim = np.exp(-np.clip(shapes.lung, 0, None) / np.float32(thickness))
    return strength * rim * posterior * low * np.clip(0.6 + 0.6 * patchy, 0, 1.4)


def _fissures(grid: Grid, bend: Field) -> Field:
    oblique = (grid.z + 22 + 0.95 * grid.y + bend) * 0.72
    level = np.where((oblique > 0) & (grid.x > 0), grid.z + 18 + 0.1 * grid.y + bend, 99)
    return 110 * (np.exp(-((oblique / 1.8) ** 2)) + 0.8 * np.exp(-((level / 1.8) ** 2)))


def _plate(rng: np.random.Generator, grid: Grid, shapes: Shapes, bend: Field) -> Field:
    """Plate-like atelectasis: a thin sheet of collapsed lung."""
    inside = np.flatnonzero((shapes.lung > 8) & (grid.z < 0))
    if len(inside) == 0:
        return np.zeros(grid.shape, np.float32)
    index = np.unravel_index(int(rng.choice(inside)), grid.shape)
    dx, dy, dz = (axis - axis[index] for axis in (grid.x, grid.y, grid.z))
    slope = rng.uniform(-0.5, 0.5, 2)
    sheet = dz + slope[0] * dx + slope[1] * dy + 2 * bend
    extent = np.exp(-(((dx**2 + dy**2) / rng.uniform(14, 32) ** 2) ** 2))
    return rng.uniform(250, 550) * extent * np.exp(-((sheet / rng.uniform(1.5, 3)) ** 2))


def _union(shares: list[Field]) -> Field:
    result = shares[0]
    for share in shares[1:]:
        np.maximum(result, share, out=result)
    return result
