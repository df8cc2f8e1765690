"""Painting of a chest phantom without lungs: chest wall, bones, organs, couch."""

import numpy as np

from medseg.data.phantoms.chest.body import Build, Shapes
from medseg.data.phantoms.chest.bones import paint_ribs, paint_shoulders, paint_spine
from medseg.data.phantoms.chest.canvas import AIR_HU, BLOOD_HU, FAT_HU, LIVER_HU, MUSCLE_HU, Canvas
from medseg.data.phantoms.chest.trees import Tubes, draw_tubes
from medseg.data.phantoms.grid import Field, Grid

__all__ = ["paint_tissue"]

GULLET = [(-4.0, -24.0, 110.0), (-6.0, -32.0, 20.0), (-8.0, -36.0, -60.0), (-16.0, -22.0, -140.0)]
# Aorta, superior vena cava, pulmonary trunk and arteries, vessels of the neck: path, radius.
GREAT_VESSELS: list[tuple[list[tuple[float, float, float]], float]] = [
    ([(4, 22, -40), (10, 24, 5), (4, 10, 38), (-12, -14, 40), (-23, -36, 22)], 15),
    ([(-23, -36, 22), (-25, -42, -20), (-22, -46, -90), (-12, -42, -180)], 12.5),
    ([(24, 8, -40), (25, 8, 10), (22, 12, 70)], 9),
    ([(-8, 30, -38), (-14, 20, -4), (-10, 2, -8)], 14),
    ([(-10, 6, -8), (16, -4, -14), (40, -12, -22)], 10),
    ([(-12, 4, -6), (-28, -10, -8), (-42, -16, -20)], 10),
    ([(4, 10, 42), (10, 12, 70), (28, 16, 92)], 6),
    ([(-12, -4, 44), (-20, 2, 75), (-30, 4, 100)], 5),
    ([(24, 14, 62), (0, 34, 58), (-32, 28, 74)], 6),
]


def paint_tissue(rng: np.random.Generator, grid: Grid, shapes: Shapes, build: Build) -> Canvas:
    """Paint a chest without lungs, surrounded by air."""
    canvas = Canvas(np.full(grid.shape, AIR_HU, np.float32), grid)
    patchy = grid.noise(rng, scale_mm=26)
    _paint_couch(canvas, build)
    _paint_wall(canvas, shapes, build, patchy)
    paint_shoulders(rng, canvas, patchy)
    paint_ribs(rng, canvas, shapes, build)
    _paint_abdomen(rng, canvas, shapes, patchy)
    _paint_mediastinum(canvas, shapes, patchy)
    paint_spine(rng, canvas, shapes)
    return canvas


def _paint_couch(canvas: Canvas, build: Build) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    top = (x / 60) ** 2 - (build.cage_mm[1] + 33 + 0.5 * build.fat_mm)
    bottom = top - 26 + (x / 190) ** 2 * 22
    inside = np.minimum(np.minimum(top - y, y - bottom), 190 - np.abs(x))
    canvas.paint_inside(inside, -120)
    canvas.paint_inside(inside - 2.2, -940)


def _paint_wall(canvas: Canvas, shapes: Shapes, build: Build, patchy: Field) -> None:
    x, y, z = np.abs(canvas.grid.x), canvas.grid.y, canvas.grid.z
    body, cage = shapes.body, shapes.cage
    canvas.paint_inside(body, 10)
    canvas.paint_inside(body - 2, FAT_HU + 6 * patchy)
    fat = build.fat_mm * (0.45 + 0.75 * x / (x + np.abs(y) + 1) + 0.18 * patchy)
    canvas.paint_inside(body - fat - 2, MUSCLE_HU + 5 * patchy)
    # Fat between the muscle layers of the wall.
    for depth, thickness in ((13, 0.9), (26, 1.5)):
        layer = thickness + 0.9 * patchy - np.abs(cage + depth + 4 * patchy)
        canvas.paint_inside(np.minimum(layer, body - fat - 6), FAT_HU + 30)
    armpit = ((x - 122 - 6 * patchy) / 20) ** 2 + ((y - 8) / 30) ** 2 + ((z - 60) / 46) ** 2
    canvas.paint_inside(18 * (1 - armpit) - 7 * np.abs(patchy), FAT_HU)


def _paint_abdomen(rng: np.random.Generator, canvas: Canvas, shapes: Shapes, patchy: Field) -> None:
    x, y, z = canvas.grid.x, canvas.grid.y, canvas.grid.z
    below = np.minimum(shapes.cage - 2, 1 - shapes.above)
    canvas.paint_inside(below, MUSCLE_HU)
    cavity = below - 3.5
    canvas.paint_inside(cavity, FAT_HU + 5 * patchy)
    # The liver fills the right dome and tapers off to the left.
    liver = np.minimum(cavity - 0.5, x + 34 + 0.25 * y + 3 * patchy)
    canvas.paint_inside(liver, LIVER_HU + 4 * patchy)
    spleen = 1 - np.sqrt(((x + 88) / 34) ** 2 + ((y + 34) / 42) ** 2 + ((z + 150) / 44) ** 2)
    canvas.paint_inside(np.minimum(30 * spleen + 2 * patchy, cavity - 1), 50)
    middle = 26 + rng.uniform(-8, 8)
    stomach = ((x + rng.uniform(54, 70)) / 40) ** 2 + ((y - middle) / 40) ** 2
    stomach = 38 * (1 - np.sqrt(stomach + ((z + 150) / 46) ** 2)) + 3 * patchy
    stomach = np.minimum(stomach, cavity - 2)
    canvas.paint_inside(stomach, 40)
    canvas.paint_inside(stomach - 4, 15)
    canvas.paint_inside(np.minimum(stomach - 4, y - middle - rng.uniform(0, 26)), -980)


def _paint_mediastinum(canvas: Canvas, shapes: Shapes, patchy: Field) -> None:
    x, y = canvas.grid.x, canvas.grid.y
    inside = np.minimum(shapes.cage - 1.5, shapes.above)
    canvas.paint_inside(inside, FAT_HU + 14 + 12 * patchy)
    canvas.paint_inside(np.minimum(inside, 3.5 * (patchy - 0.9)), 20)
    heart = np.minimum(shapes.heart - 2.5 + 2.2 * patchy, shapes.above)
    canvas.paint_inside(heart, BLOOD_HU - 2 + 3 * patchy)
    # Fat in the atrioventricular groove, near the surface.
    groove = 2 + patchy - np.abs(0.85 * (x - 4) + 0.5 * (y - 30))
    canvas.paint_inside(np.minimum(np.minimum(groove, 13 - heart), np.minimum(heart, y)), FAT_HU)
    for points, radius in GREAT_VESSELS:
        canvas.paint(draw_tubes(canvas.grid, Tubes.along(points, radius)), BLOOD_HU)
    canvas.paint(draw_tubes(canvas.grid, Tubes.along(GULLET, 7)), 35)
