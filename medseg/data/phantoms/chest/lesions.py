"""Infection in a chest phantom's lungs: ground glass and consolidation.

Distribution and appearance follow CT of COVID-19 pneumonia: several foci in both lungs, more at the
back, at the bases and under the pleura; early ones ground glass, later ones consolidated or mixed,
some with thickened septa. Vessels are painted afterwards and stay visible. The infected fraction of
the lung follows real masks (docs/decisions/0010).

Reference:
    Ng et al., Imaging profile of the COVID-19 infection, Radiol. Cardiothorac. Imaging
    2020. https://doi.org/10.1148/ryct.2020200034
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medseg.data.phantoms.chest.body import Shapes
from medseg.data.phantoms.grid import Field, Grid

__all__ = ["Lesion", "LesionKind", "paint_lesions", "sample_lesions"]

LesionKind = Literal["ground_glass", "consolidation", "mixed"]
KINDS: tuple[LesionKind, ...] = ("ground_glass", "consolidation", "mixed")


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One focus of infection.

    Attributes:
        kind: Its appearance.
        centre_mm: RAS+ millimetres.
        normal: Unit vector from its centre into the lung, RAS+.
        radii_mm: Half extent along the pleura and across it.
        opacity: Fraction of the air that is replaced, in [0, 1].
        fuzz_mm: Width of its edge.
        septa: Strength of thickened septa, in [0, 1].
    """

    kind: LesionKind
    centre_mm: tuple[float, float, float]
    normal: tuple[float, float, float]
    radii_mm: tuple[float, float]
    opacity: float
    fuzz_mm: float
    septa: float


def sample_lesions(
    rng: np.random.Generator, grid: Grid, shapes: Shapes, count: int | None
) -> tuple[Lesion, ...]:
    """Draw the foci of one patient.

    Args:
        rng: The only source of randomness.
        grid: The grid.
        shapes: The patient.
        count: Number of foci; drawn from 3 to 12 if None.
    """
    if count is None:
        count = int(rng.integers(3, 13))
    # Foci of one patient have the same age, so all are large or all are small.
    extent_mm = 18 * float(rng.lognormal(0, 0.25))
    inside = np.flatnonzero(shapes.lung > 2)
    if count == 0 or len(inside) == 0:
        return ()
    depth = shapes.lung.ravel()[inside]
    back = np.clip((30 - grid.y.ravel()[inside]) / 100, 0.1, 1)
    low = np.clip((70 - grid.z.ravel()[inside]) / 140, 0.15, 1)
    weight = (np.exp(-depth / 9) + 0.06) * back * low
    chosen = rng.choice(inside, size=count, p=weight / weight.sum())
    return tuple(_sample_lesion(rng, grid, shapes, int(index), extent_mm) for index in chosen)


def paint_lesions(
    rng: np.random.Generator, grid: Grid, density: Field, lesions: tuple[Lesion, ...]
) -> Field:
    """Paint the foci over aerated lung.

    Args:
        rng: The only source of randomness.
        grid: The grid.
        density: `(I, J, K)` in HU; changed in place.
        lesions: The foci.

    Returns:
        Signed distance to the nearest edge of a focus in mm, positive inside; not clipped to the
        lungs.
    """
    rough, fine = grid.noise(rng, scale_mm=15), grid.noise(rng, scale_mm=6.5)
    mottle = grid.noise(rng, scale_mm=5)
    nearest = np.full(grid.shape, -99, np.float32)
    for lesion in lesions:
        box, depth = _depth(grid, lesion)
        size = lesion.radii_mm[1]
        depth += size * (0.34 * rough[box] + 0.16 * fine[box])
        np.maximum(nearest[box], depth, out=nearest[box])
        share = np.clip(depth / lesion.fuzz_mm + 0.5, 0, 1)
        share *= lesion.opacity * np.clip(1 + 0.22 * mottle[box] + 0.12 * rough[box], 0.3, 1.5)
        share += lesion.septa * share * np.exp(-((3 * fine[box]) ** 2))
        if lesion.kind == "mixed":
            core = np.clip((depth - 0.3 * size + 3 * mottle[box]) / 5, 0, 1)
            share += core * (0.9 - share)
        density[box] += np.clip(share, 0, 1) * (np.float32(35) - density[box])
    return nearest


def _sample_lesion(
    rng: np.random.Generator, grid: Grid, shapes: Shapes, index: int, extent_mm: float
) -> Lesion:
    i, rest = divmod(index, grid.shape[1] * grid.shape[2])
    j, k = divmod(rest, grid.shape[2])
    kind = KINDS[rng.choice(3, p=(0.55, 0.2, 0.25))]
    along = float(np.clip(extent_mm * rng.lognormal(0, 0.4), 10, 42))
    if kind == "consolidation":
        along *= 0.75
    across = along * rng.uniform(0.5, 0.95)
    opacity = rng.uniform(0.85, 1.0) if kind == "consolidation" else rng.uniform(0.2, 0.55)
    return Lesion(
        kind=kind,
        centre_mm=_three(grid.affine[:3] @ (i, j, k, 1)),
        normal=_three(grid.rotation @ _inwards(grid, shapes.lung, (i, j, k))),
        radii_mm=(along, across),
        opacity=opacity,
        fuzz_mm=rng.uniform(2, 4) if kind == "consolidation" else rng.uniform(4, 10),
        septa=rng.uniform(0.2, 0.8) * (rng.random() < 0.35),
    )


def _inwards(grid: Grid, lung: Field, voxel: tuple[int, int, int]) -> NDArray[np.float64]:
    """Direction, along the grid's axes, in which the distance to the pleura grows."""
    slopes: list[float] = []
    for axis in range(3):
        ahead, behind = [*voxel], [*voxel]
        ahead[axis] = min(voxel[axis] + 2, grid.shape[axis] - 1)
        behind[axis] = max(voxel[axis] - 2, 0)
        rise = float(lung[tuple(ahead)]) - float(lung[tuple(behind)])
        slopes.append(rise / grid.spacing_mm[axis])
    length = float(np.linalg.norm(slopes))
    return np.array(slopes) / length if length > 0 else np.array([0.0, 0.0, 1.0])


def _three(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])


def _depth(grid: Grid, lesion: Lesion) -> tuple[tuple[slice, ...], Field]:
    """Bounding box of a focus, and the depth below its smooth surface in it."""
    reach = 2.2 * max(lesion.radii_mm)
    centre = np.linalg.inv(grid.affine)[:3] @ (*lesion.centre_mm, 1)
    n = lesion.normal @ grid.rotation
    box: list[slice] = []
    steps: list[NDArray[np.float32]] = []
    for axis in range(3):
        size = reach / grid.spacing_mm[axis]
        low = max(int(np.ceil(centre[axis] - size)), 0)
        high = min(int(np.floor(centre[axis] + size)) + 1, grid.shape[axis])
        box.append(slice(low, high))
        step = (np.arange(low, high) - centre[axis]) * grid.spacing_mm[axis]
        steps.append(step.astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)]))
    across = n[0] * steps[0] + n[1] * steps[1] + n[2] * steps[2]
    squared = steps[0] ** 2 + steps[1] ** 2 + steps[2] ** 2
    along_mm, across_mm = lesion.radii_mm
    sideways = np.clip(squared - across**2, 0, None)
    distance = np.sqrt(sideways / along_mm**2 + (across / across_mm) ** 2)
    return tuple(box), (np.float32(across_mm) * (1 - distance)).astype(np.float32)
