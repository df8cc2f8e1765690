"""Everything of a phantom but its lungs, in Hounsfield units: wall, bones, organs, couch.

Paint goes on in the order of the list in `paint_tissue`; each layer covers what lies
below it by its share of the voxel, which gives borders their partial volume.
"""

from dataclasses import dataclass

import numpy as np

from medseg.data.phantom_body import Build, Shapes
from medseg.data.phantom_grid import Field, Grid, coverage, profile
from medseg.data.phantom_trees import Tubes, draw_tubes

__all__ = ["Canvas", "paint_tissue"]

AIR_HU, FAT_HU, MUSCLE_HU, BLOOD_HU, LIVER_HU = -1000, -100, 48, 42, 58


@dataclass(frozen=True, eq=False)
class Canvas:
    """The image being painted, `(I, J, K)` in HU, on its grid."""

    image: Field
    grid: Grid

    def paint(self, share: Field, hu: float | Field) -> None:
        """Cover the image with a layer, by its share of each voxel."""
        self.image[...] += share * (hu - self.image)

    def paint_inside(self, distance_mm: Field, hu: float | Field) -> None:
        """Cover the inside of a shape."""
        self.paint(coverage(distance_mm, self.grid.spacing_mm[0]), hu)


def paint_tissue(rng: np.random.Generator, grid: Grid, shapes: Shapes, build: Build) -> Canvas:
    """Paint a chest without lungs on air."""
    canvas = Canvas(np.full(grid.shape, AIR_HU, np.float32), grid)
    patchy = grid.noise(rng, scale_mm=26)
    _paint_couch(canvas, build)
    _paint_wall(canvas, shapes, build, patchy)
    _paint_shoulder(rng, canvas)
    _paint_ribs(rng, canvas, shapes, build)
    _paint_abdomen(rng, canvas, shapes, patchy)
    _paint_mediastinum(canvas, shapes, patchy)
    _paint_spine(rng, canvas, shapes, build)
    return canvas


def _paint_couch(canvas: Canvas, build: Build) -> None:
    depth = build.cage_mm[1] + 30 + 0.5 * build.fat_mm
    top = -(depth + 2) + (canvas.grid.x / 60) ** 2 * 0.5
    bottom = top - 26 + (canvas.grid.x / 190) ** 2 * 22
    inside = np.minimum(
        np.minimum(top - canvas.grid.y, canvas.grid.y - bottom), 190 - np.abs(canvas.grid.x)
    )
    canvas.paint_inside(inside, -120)
    canvas.paint_inside(inside - 2.2, -940)


def _paint_wall(canvas: Canvas, shapes: Shapes, build: Build, patchy: Field) -> None:
    body, cage = shapes.body, shapes.cage
    canvas.paint_inside(body, 10)
    canvas.paint_inside(body - 2, FAT_HU + 6 * patchy)
    side = np.abs(canvas.grid.x) / (np.abs(canvas.grid.x) + np.abs(canvas.grid.y) + 1)
    fat = np.float32(build.fat_mm) * (0.45 + 0.75 * side + 0.12 * patchy)
    canvas.paint_inside(body - fat - 2, MUSCLE_HU + 5 * patchy)
    # Layers of fat between the muscles of the wall.
    for depth, thickness in ((-13, 1.0), (-27, 1.6)):
        layer = thickness + 0.7 * patchy - np.abs(cage - depth - 3 * patchy)
        canvas.paint_inside(np.minimum(layer, body - fat - 6), FAT_HU + 30)


def _paint_shoulder(rng: np.random.Generator, canvas: Canvas) -> None:
    x, y, z = np.abs(canvas.grid.x), canvas.grid.y, canvas.grid.z
    armpit = 1 - np.sqrt(((x - 118) / 26) ** 2 + ((y - 12) / 30) ** 2 + ((z - 62) / 42) ** 2)
    canvas.paint_inside(20 * armpit, FAT_HU)
    u = 0.62 * (x - 100) + 0.78 * (y + 60)
    v = -0.78 * (x - 100) + 0.62 * (y + 60) + 0.0025 * u * u
    length = profile(z, [(-52, 0), (-30, 16), (30, 42), (92, 48)])
    blade = np.minimum(3.2 - np.abs(v), length - np.abs(u))
    blade = np.minimum(blade, np.minimum(z + 52, 96 - z))
    canvas.paint_inside(blade, 480)
    canvas.paint_inside(np.minimum(blade - 1.8, np.abs(u) - 0.4 * length), 180)
    bend = rng.uniform(-6, 6)
    for side in (-1, 1):
        points = [(side * 16.0, 66.0, 58.0), (side * 62.0, 70 + bend, 76.0)]
        clavicle = Tubes.along([*points, (side * 118.0, 34.0, 94.0)], 6.5)
        canvas.paint(draw_tubes(canvas.grid, clavicle), 560)
        canvas.paint(draw_tubes(canvas.grid, clavicle.wider(-3)), 220)


def _paint_ribs(rng: np.random.Generator, canvas: Canvas, shapes: Shapes, build: Build) -> None:
    pitch, slope = rng.uniform(25, 29), rng.uniform(0.45, 0.65)
    phase = (
        canvas.grid.z
        + slope * canvas.grid.y
        + 6 * np.sin(canvas.grid.y / 40)
        + rng.uniform(0, pitch)
    )
    across = np.mod(phase, np.float32(pitch)) - np.float32(pitch / 2)
    outward = shapes.cage + 5.5
    ring = 1 - np.sqrt((across / 6.8) ** 2 + (outward / 4.2) ** 2)
    ring = np.minimum(4.6 * ring, build.apex_mm - 8 - canvas.grid.z)
    gristle = coverage(canvas.grid.y - 52, 16)
    canvas.paint_inside(ring, 620 - 500 * gristle)
    canvas.paint_inside(ring - 1.9, 230 - 120 * gristle)
    sternum = np.minimum(6 - np.abs(shapes.cage + 7.5), 18 - np.abs(canvas.grid.x))
    sternum = np.minimum(
        sternum, np.minimum(canvas.grid.y, np.minimum(canvas.grid.z + 78, 60 - canvas.grid.z))
    )
    canvas.paint_inside(sternum, 380)
    canvas.paint_inside(sternum - 2.2, 140)


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
    canvas.paint_inside(np.minimum(30 * spleen, cavity - 1), 50)
    centre = (-62 + rng.uniform(-8, 8), 26 + rng.uniform(-8, 8))
    stomach = 1 - np.sqrt(
        ((x - centre[0]) / 40) ** 2 + ((y - centre[1]) / 40) ** 2 + ((z + 150) / 46) ** 2
    )
    stomach = np.minimum(38 * stomach + 3 * patchy, cavity - 2)
    canvas.paint_inside(stomach, 40)
    canvas.paint_inside(stomach - 4, 15)
    gas = np.minimum(stomach - 4, y - (centre[1] + rng.uniform(0, 26)))
    canvas.paint_inside(gas, -980)


def _paint_mediastinum(canvas: Canvas, shapes: Shapes, patchy: Field) -> None:
    inside = np.minimum(shapes.cage - 1.5, shapes.above)
    canvas.paint_inside(inside, FAT_HU + 14 + 12 * patchy)
    nodes = np.minimum(inside, 3.5 * (patchy - 0.9))
    canvas.paint_inside(nodes, 20)
    heart = np.minimum(shapes.heart - 2.5 + 2.2 * patchy, shapes.above)
    canvas.paint_inside(heart, BLOOD_HU - 2 + 3 * patchy)
    for points, radius in _GREAT_VESSELS:
        canvas.paint(draw_tubes(canvas.grid, Tubes.along(points, radius)), BLOOD_HU)
    gullet = Tubes.along([(-4, -24, 110), (-6, -30, 20), (-8, -34, -60), (-16, -22, -140)], 7)
    canvas.paint(draw_tubes(canvas.grid, gullet), 35)


def _paint_spine(rng: np.random.Generator, canvas: Canvas, shapes: Shapes, build: Build) -> None:
    x, z = canvas.grid.x, canvas.grid.z
    y = canvas.grid.y + 60 - np.float32(build.kyphosis_mm) * ((z + 30) / 130) ** 2
    pitch = rng.uniform(24, 28)
    level = np.mod(z + rng.uniform(0, pitch), np.float32(pitch)) - np.float32(pitch / 2)
    bone = np.minimum(shapes.spine, 11 - np.abs(level) + 0.02 * shapes.spine)
    canvas.paint_inside(shapes.spine, 85)
    canvas.paint_inside(bone, 430)
    canvas.paint_inside(bone - 2.2, rng.uniform(150, 220))
    arch = np.minimum(15 - np.hypot(x, y + 23), np.hypot(x, y + 23) - 8)
    spinous = np.minimum(3.4 - np.abs(x), np.minimum(-y - 34, y + 58 + 0.5 * level))
    wings = np.minimum(5 - np.abs(y + 24 + 0.18 * np.abs(x)), 34 - np.abs(x))
    wings = np.minimum(wings, np.abs(x) - 9)
    rear = np.maximum(np.maximum(arch, spinous), np.minimum(wings, 6.5 - np.abs(level)))
    canvas.paint_inside(rear, 520)
    canvas.paint_inside(rear - 2.4, 260)
    canvas.paint_inside(8 - np.hypot(x, y + 23), 28)


_GREAT_VESSELS: list[tuple[list[tuple[float, float, float]], float]] = [
    ([(4, 22, -40), (10, 24, 5), (4, 10, 38), (-12, -14, 40), (-23, -36, 22)], 15),
    ([(-23, -36, 22), (-24, -42, -20), (-22, -44, -90), (-12, -42, -180)], 12),
    ([(24, 8, -40), (25, 8, 10), (22, 12, 70)], 9),
    ([(-8, 30, -38), (-14, 20, -4), (-10, 2, -8)], 13),
    ([(-10, 6, -8), (16, -4, -14), (40, -12, -22)], 9),
    ([(-12, 4, -6), (-28, -10, -8), (-42, -16, -20)], 9),
    ([(4, 10, 42), (10, 12, 70), (28, 16, 92)], 6),
    ([(-12, -4, 44), (-20, 2, 75), (-30, 4, 100)], 5),
    ([(24, 14, 62), (0, 34, 58), (-32, 28, 74)], 6),
]
