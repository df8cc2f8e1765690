"""Outlines of a fat phantom slice, as signed distances: skin, muscles, cavity, vertebra.

Skin, trunk and cavity are nested whatever the random deformation, with a minimum thickness of fat
and muscle between them, so that the labels are correct.
"""

from dataclasses import dataclass

import numpy as np

from medseg.data.phantoms.distance import ellipse_distance, super_ellipse_distance
from medseg.data.phantoms.fat.build import FatBuild, Girth
from medseg.data.phantoms.fat.slice_grid import SliceGrid
from medseg.data.phantoms.grid import Field

__all__ = ["SKIN_MM", "FatShapes", "form_fat_shapes"]

SKIN_MM = 1.8
LEAST_FAT_MM, LEAST_WALL_MM = 2.5, 5.0
# Centre of the vertebral bodies behind the middle of the cavity.
SPINE_MM = -44.0


@dataclass(frozen=True, eq=False)
class FatShapes:
    """Signed distances in mm, positive inside, all `(I, J)`.

    Attributes:
        body: Skin.
        trunk: Outer surface of the muscles, beneath the fat under the skin.
        cavity: Inner surface of the muscles and of the spine.
        vertebra: Vertebral body.
        x: Deformed coordinate to the right in mm, in which organs are placed.
        y: Deformed coordinate to the front in mm.
        size: The patient's frame.
        level: 0 at the fifth lumbar vertebra to 1 at the first.
    """

    body: Field
    trunk: Field
    cavity: Field
    vertebra: Field
    x: Field
    y: Field
    size: float
    level: float


def form_fat_shapes(
    rng: np.random.Generator, grid: SliceGrid, build: FatBuild, girth: Girth, level: float
) -> FatShapes:
    """Generate the outlines of one slice."""
    bend = np.float32(2.0 * build.waviness_mm)
    x = grid.x + bend * grid.noise(rng, scale_mm=70)
    y = grid.y + bend * grid.noise(rng, scale_mm=70)
    fine = grid.noise(rng, scale_mm=22) * np.float32(0.3 * build.waviness_mm)
    trunk = _outline(x, y, girth.trunk, exponents=(2.3, 2.7)) + fine
    trunk -= _groove(x, y, build.frame)
    body = _outline(x, y, girth.body, exponents=(2.2, 2.6))
    body += grid.noise(rng, scale_mm=45) * np.float32(0.8 * build.waviness_mm)
    body -= _navel(rng, x, y, girth, level)
    body = np.maximum(body, trunk + LEAST_FAT_MM + SKIN_MM)
    cavity = _outline(x, y, girth.cavity, exponents=(2.3, 2.6))
    cavity += grid.noise(rng, scale_mm=30) * np.float32(0.5 * build.waviness_mm)
    cavity = np.minimum(cavity, trunk - LEAST_WALL_MM)
    vertebra = _vertebra(rng, x, y, build.frame)
    return FatShapes(
        body=body,
        trunk=trunk,
        cavity=np.minimum(cavity, -vertebra),
        vertebra=vertebra,
        x=x,
        y=y,
        size=build.frame,
        level=level,
    )


def _outline(
    x: Field, y: Field, axes: tuple[float, float, float], exponents: tuple[float, float]
) -> Field:
    side, front, back = axes
    depth = np.where(y > 0, np.float32(front), np.float32(back))
    exponent = np.where(y > 0, np.float32(exponents[0]), np.float32(exponents[1]))
    return super_ellipse_distance(x, y, side, depth, exponent)


def _groove(x: Field, y: Field, size: float) -> Field:
    """Depth of the groove between the two muscles of the back."""
    return np.where(y < 0, 9 * size * np.exp(-np.square(x / (14 * size))), 0).astype(np.float32)


def _navel(rng: np.random.Generator, x: Field, y: Field, girth: Girth, level: float) -> Field:
    """Depth of the navel, at the level of the fourth lumbar vertebra."""
    depth = 0.9 * (girth.body[1] - girth.trunk[1]) * max(0.0, 1 - abs(level - 0.2) / 0.12)
    width = rng.uniform(7, 14)
    return np.where(y > 0, np.float32(depth) * np.exp(-np.square(x / width)), 0).astype(np.float32)


def _vertebra(rng: np.random.Generator, x: Field, y: Field, size: float) -> Field:
    width, depth = rng.uniform(22, 26) * size, rng.uniform(15, 18) * size
    body = ellipse_distance(x, y - SPINE_MM * size, width, depth)
    # Flattened at the back, at the spinal canal.
    return np.minimum(body, y - (SPINE_MM * size - 0.75 * depth))
