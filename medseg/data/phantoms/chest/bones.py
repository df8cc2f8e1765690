"""Bones of a chest phantom: ribs, sternum, spine, scapulae, clavicles.

For lung segmentation they are the bright rim next to the lungs; each is a shell of cortical bone
around marrow, placed relative to the rib cage so that it fits every build.
"""

import numpy as np

from medseg.data.phantoms.chest.body import Build, Shapes
from medseg.data.phantoms.chest.canvas import CORTEX_HU, DISC_HU, MARROW_HU, Canvas
from medseg.data.phantoms.chest.trees import Tubes, draw_tubes
from medseg.data.phantoms.grid import Field, coverage, profile

__all__ = ["paint_ribs", "paint_shoulders", "paint_spine"]


def paint_shoulders(rng: np.random.Generator, canvas: Canvas, patchy: Field) -> None:
    """Paint scapulae and clavicles."""
    x, y, z = np.abs(canvas.grid.x), canvas.grid.y, canvas.grid.z
    turn = rng.uniform(0.5, 0.75)
    u = turn * (x - 102) + np.sqrt(1 - turn**2) * (y + 62)
    v = -np.sqrt(1 - turn**2) * (x - 102) + turn * (y + 62) + 0.004 * u * u + 1.5 * patchy
    length = profile(z, [(-52, 0), (-30, 14), (30, 34), (92, 42)])
    blade = np.minimum(2.2 + 0.0018 * u * u + 0.5 * patchy - np.abs(v), length - np.abs(u))
    blade = np.minimum(blade, np.minimum(z + 52, 96 - z))
    spine = np.minimum(3 - np.abs(u - 12 - 0.5 * (v + 12)), np.minimum(-v, v + 22))
    blade = np.maximum(blade, np.minimum(spine, np.minimum(z - 48, 92 - z)))
    canvas.paint_inside(blade, 480)
    canvas.paint_inside(blade - 2, MARROW_HU)
    bend = rng.uniform(-6, 6)
    for side in (-1, 1):
        points = [(side * 16.0, 68.0, 58.0), (side * 62.0, 70 + bend, 76.0)]
        clavicle = Tubes.along([*points, (side * 118.0, 34.0, 94.0)], 6.5)
        canvas.paint(draw_tubes(canvas.grid, clavicle), CORTEX_HU)
        canvas.paint(draw_tubes(canvas.grid, clavicle.wider(-3)), MARROW_HU)


def paint_ribs(rng: np.random.Generator, canvas: Canvas, shapes: Shapes, build: Build) -> None:
    """Paint ribs, with cartilage in front, and the sternum."""
    x, y, z = np.abs(canvas.grid.x), canvas.grid.y, canvas.grid.z
    pitch = rng.uniform(27, 31)
    # From the spine outwards and down, to the front and down, then up to the sternum.
    descent = rng.uniform(0.4, 0.55) * y + rng.uniform(0.2, 0.35) * x + 0.0012 * x * x
    phase = z + descent + rng.uniform(0, pitch)
    across = np.mod(phase, pitch) - 0.5 * pitch
    ring = 1 - np.sqrt((across / 6.6) ** 2 + ((shapes.cage + 5.8) / 4.0) ** 2)
    ring = np.minimum(4.6 * ring, build.apex_mm - 8 - z)
    cartilage = coverage(y - 0.62 * build.cage_mm[1], 16)
    canvas.paint_inside(ring, CORTEX_HU - 500 * cartilage)
    canvas.paint_inside(ring - 1.9, MARROW_HU - 120 * cartilage)
    width = profile(z, [(-78, 11), (0, 17), (38, 17), (54, 30)])
    sternum = 1 - np.sqrt(((shapes.cage + 8) / 6.5) ** 2 + (x / width) ** 4)
    sternum = np.minimum(6.5 * sternum, np.minimum(y, np.minimum(z + 78, 60 - z)))
    canvas.paint_inside(sternum, 400)
    canvas.paint_inside(sternum - 1.8, 150)


def paint_spine(rng: np.random.Generator, canvas: Canvas, shapes: Shapes) -> None:
    """Paint vertebrae, discs and the spinal canal."""
    x, y, z = np.abs(canvas.grid.x), shapes.behind_spine, canvas.grid.z
    pitch = rng.uniform(24, 28)
    level = np.mod(z + rng.uniform(0, pitch), pitch) - 0.5 * pitch
    waist = shapes.spine - 2.5 + 0.02 * level**2
    bone = np.minimum(waist, 0.5 * pitch - 2 - np.abs(level))
    canvas.paint_inside(shapes.spine - 1, DISC_HU)
    canvas.paint_inside(bone, 480)
    canvas.paint_inside(bone - 2.2, rng.uniform(140, 230))
    centre = np.hypot(x, y - 24)
    arch = np.minimum(15 - centre, centre - 8)
    spinous = np.minimum(3.6 - x, np.minimum(y - 34, 52 + 0.4 * level - y))
    wings = np.minimum(5 - np.abs(y - 26 - 0.2 * x), np.minimum(35 - x, x - 9))
    knobs = 7 - np.hypot(np.hypot(x - 32, y - 32), level)
    rear = np.maximum(np.maximum(arch, spinous), np.minimum(wings, 7 - np.abs(level)))
    rear = np.maximum(rear, knobs)
    canvas.paint_inside(rear, 520)
    canvas.paint_inside(rear - 2.4, 250)
    canvas.paint_inside(8 - centre, 28)
