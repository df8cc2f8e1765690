"""Organs of the fat phantom: everything inside the abdominal wall that is not visceral fat.

Each organ is a shape at a fixed position, clipped by the wall; most are dark in a fat image, some
only partly: a fatty liver, the sinus of a kidney. Organs keep their size and their distance from
the spine, so more fat widens the gaps between them.
"""

from dataclasses import dataclass

import numpy as np

from medseg.data.phantoms.distance import ellipse_distance
from medseg.data.phantoms.fat.build import FatBuild
from medseg.data.phantoms.fat.canvas import Tissue
from medseg.data.phantoms.fat.shapes import SPINE_MM, FatShapes
from medseg.data.phantoms.fat.slice_grid import SliceGrid
from medseg.data.phantoms.grid import Field, smooth_minimum

__all__ = ["Organ", "form_organs"]

MUSCLE = Tissue(0.05, 0.8)
VESSEL = Tissue(0.03, 0.6)
# Between an organ and the wall.
GAP_MM = 2.0


@dataclass(frozen=True, eq=False)
class Organ:
    """One organ in one slice.

    Attributes:
        distance: `(I, J)`, signed distance in mm, positive inside.
        tissue: Its signal.
    """

    distance: Field
    tissue: Tissue


def form_organs(
    rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes, build: FatBuild
) -> list[Organ]:
    """Generate the solid organs of one slice, in painting order."""
    wave = grid.noise(rng, scale_mm=28)
    organs = [
        *_muscles(rng, shapes),
        *_great_vessels(rng, shapes),
        *_pancreas(rng, grid, shapes),
        *_kidneys(rng, shapes, wave),
        *_spleen(rng, shapes, wave),
        *_stomach(rng, grid, shapes, wave),
    ]
    taken = np.max([organ.distance for organ in organs], axis=0)
    organs += _liver(rng, grid, shapes, build, wave, taken)
    return [Organ(np.minimum(o.distance, shapes.cavity), o.tissue) for o in organs]


def _at(shapes: FatShapes, x: float, y: float, turn: float = 0.0) -> tuple[Field, Field]:
    """Coordinates relative to an organ's centre, which is given for a frame of 1."""
    dx, dy = shapes.x - x * shapes.size, shapes.y - y * shapes.size
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return c * dx + s * dy, c * dy - s * dx


def _ellipse(
    shapes: FatShapes, centre: tuple[float, float], radii: tuple[float, float], turn: float = 0.0
) -> Field:
    x, y = _at(shapes, *centre, turn)
    return ellipse_distance(x, y, radii[0] * shapes.size, radii[1] * shapes.size)


def _muscles(rng: np.random.Generator, shapes: FatShapes) -> list[Organ]:
    """Psoas, growing downwards, and quadratus lumborum, on both sides of the spine."""
    low, organs = 1 - shapes.level, list[Organ]()
    for side in (-1, 1):
        radii = (8 + 12 * low + rng.uniform(-1, 2), 10 + 12 * low + rng.uniform(-1, 2))
        place = (side * (27 + 7 * low + rng.uniform(0, 3)), SPINE_MM + 3 + 5 * low)
        psoas = _ellipse(shapes, place, radii, turn=side * -0.3)
        organs.append(Organ(np.minimum(psoas, -shapes.vertebra - 1), MUSCLE))
        loin = _ellipse(shapes, (side * rng.uniform(60, 66), -47), (17 + 4 * low, 8), side * 0.35)
        organs.append(Organ(loin, MUSCLE))
    return organs


def _great_vessels(rng: np.random.Generator, shapes: FatShapes) -> list[Organ]:
    forward = SPINE_MM + rng.uniform(26, 30)
    radius = rng.uniform(7.5, 11)
    aorta = _ellipse(shapes, (-10 + rng.uniform(-4, 3), forward), (radius, radius))
    cava = _ellipse(shapes, (17 + rng.uniform(-3, 3), forward - 2), (12, rng.uniform(6, 10)))
    return [Organ(aorta, VESSEL), Organ(cava, VESSEL)]


def _kidneys(rng: np.random.Generator, shapes: FatShapes, wave: Field) -> list[Organ]:
    """Kidneys, from the third lumbar vertebra up, the right one lower, with fat in the sinus."""
    organs = list[Organ]()
    for side, middle in ((-1, 0.75), (1, 0.65)):
        share = 1 - ((shapes.level - middle) / rng.uniform(0.42, 0.5)) ** 2
        place = (side * rng.uniform(56, 64), rng.uniform(-30, -24))
        turn = side * rng.uniform(0.3, 0.7)
        if share <= 0.05:
            continue
        reach = float(np.sqrt(share))
        kidney = _ellipse(shapes, place, (24 * reach, 30 * reach), turn) + 1.2 * wave
        organs.append(Organ(kidney, Tissue(0.04, 0.85)))
        sinus = _ellipse(shapes, (place[0] - side * 5, place[1] + 3), (9, 14), turn) + 2.5 * wave
        fatty = 4 + 12 * (1 - share)
        organs.append(Organ(np.minimum(sinus, kidney - fatty), Tissue(0.75, 0.25)))
    return organs


def _liver(
    rng: np.random.Generator,
    grid: SliceGrid,
    shapes: FatShapes,
    build: FatBuild,
    wave: Field,
    taken: Field,
) -> list[Organ]:
    """Liver, beneath the wall on the right at any girth, outside what is `taken`."""
    share = (shapes.level - rng.uniform(0.25, 0.5)) / 0.5
    if share <= 0.05:
        return []
    reach = min(1.0, share) ** 0.5
    right = _ellipse(shapes, (62 + 22 * (1 - reach), 6), (52 * reach, 56 * reach), turn=0.5)
    left = _ellipse(shapes, (8, 38), (52 * reach, 20 * reach), turn=0.15)
    left = np.where(share > 0.7, left, np.float32(-50))
    beneath = shapes.cavity - GAP_MM - rng.uniform(0, 4)
    liver = smooth_minimum(-smooth_minimum(-right, -left, 14), beneath, 8)
    liver = smooth_minimum(liver, -taken - rng.uniform(1, 6), 5) + 1.5 * wave
    liver = np.minimum(liver, -taken - 0.5)
    even = 1 + 0.1 * grid.noise(rng, scale_mm=35)
    fat = build.liver_fat
    return [Organ(liver, Tissue((0.04 + fat) * even, 0.85 * (1 - fat) * even))]


def _spleen(rng: np.random.Generator, shapes: FatShapes, wave: Field) -> list[Organ]:
    share = (shapes.level - rng.uniform(0.5, 0.7)) / 0.3
    place = (-rng.uniform(78, 88), rng.uniform(-20, -8))
    if share <= 0.05:
        return []
    reach = min(1.0, share) ** 0.5
    spleen = _ellipse(shapes, place, (20 * reach, 44 * reach), turn=0.25) + 1.5 * wave
    return [Organ(smooth_minimum(spleen, shapes.cavity - GAP_MM, 5), Tissue(0.03, 0.9))]


def _stomach(
    rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes, wave: Field
) -> list[Organ]:
    share = (shapes.level - rng.uniform(0.45, 0.65)) / 0.35
    place, radii = (-rng.uniform(40, 52), rng.uniform(22, 32)), (rng.uniform(32, 44), 24)
    meal = rng.choice([0.03, 0.08, 0.35], p=[0.5, 0.35, 0.15])
    if share <= 0.05:
        return []
    reach = min(1.0, share) ** 0.5
    stomach = _ellipse(shapes, place, (radii[0] * reach, radii[1] * reach), turn=-0.4) + 2.5 * wave
    stomach = smooth_minimum(stomach, shapes.cavity - GAP_MM, 6)
    food = np.clip(meal * (1 + 0.6 * grid.noise(rng, scale_mm=6)), 0.01, 0.8)
    return [
        Organ(stomach, Tissue(0.05, 0.75)),
        Organ(stomach - 3.5, Tissue(food, 0.5 * (1 - food))),
    ]


def _pancreas(rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes) -> list[Organ]:
    """Pancreas, a lobulated band in front of the spine, with fat between the lobules."""
    lobules = grid.noise(rng, scale_mm=7)
    place, turn = (-rng.uniform(2, 14), rng.uniform(-6, 2)), rng.uniform(-0.5, -0.2)
    if not 0.55 < shapes.level < 0.95:
        return []
    band = _ellipse(shapes, place, (48, 11), turn) + 3.5 * lobules
    return [Organ(band, Tissue(0.12, 0.75))]
