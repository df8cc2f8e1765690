"""Painting of a fat phantom slice: skin, fat, muscles, bones, organs, arms.

Three kinds of fat look like the labelled ones but are background: between the muscles, in the bone
marrow, in the arms. Thin septa, on the other hand, run through the labelled fat.
"""

from dataclasses import dataclass

import numpy as np

from medseg.data.phantoms.distance import ellipse_distance
from medseg.data.phantoms.fat.bowel import form_bowel, mesenteric_vessels
from medseg.data.phantoms.fat.build import FatBuild, Girth
from medseg.data.phantoms.fat.canvas import Canvas, Tissue
from medseg.data.phantoms.fat.organs import MUSCLE, VESSEL, form_organs
from medseg.data.phantoms.fat.shapes import SKIN_MM, SPINE_MM, FatShapes
from medseg.data.phantoms.fat.slice_grid import SliceGrid, line_distance
from medseg.data.phantoms.grid import Field, coverage

__all__ = ["Painted", "paint_slice"]

SKIN = Tissue(0.12, 0.5)
FAT = Tissue(1.0, 0.06)
VISCERAL = Tissue(0.93, 0.1)
SEPTUM = Tissue(0.35, 0.4)
CORTEX = Tissue(0.05, 0.06)


@dataclass(frozen=True, eq=False)
class Painted:
    """A painted slice, before the simulated scan.

    Attributes:
        canvas: Fat and water image.
        subcutaneous: Signed distance in mm, positive in the fat under the skin.
        visceral: Signed distance in mm, positive in the fat between the organs.
        present: Signed distance in mm, positive in body and arms.
    """

    canvas: Canvas
    subcutaneous: Field
    visceral: Field
    present: Field


def paint_slice(
    rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes, build: FatBuild, girth: Girth
) -> Painted:
    """Paint one slice, from outside to inside."""
    rngs = rng.spawn(5)
    empty = np.zeros(grid.shape, np.float32)
    canvas = Canvas(fat=empty, water=empty.copy(), spacing_mm=grid.spacing_mm)
    arms = _paint_arms(rngs[0], canvas, grid, shapes, build, girth)
    canvas.paint_inside(shapes.body, SKIN)
    canvas.paint_inside(shapes.body - SKIN_MM, FAT)
    _paint_septa(rngs[1], canvas, grid, shapes)
    _paint_wall(rngs[2], canvas, grid, shapes, build)
    _paint_bones(rngs[3], canvas, grid, shapes, build)
    visceral = _paint_inside(rngs[4], canvas, grid, shapes, build)
    return Painted(
        canvas=canvas,
        subcutaneous=np.minimum(shapes.body - SKIN_MM, -shapes.trunk),
        visceral=visceral,
        present=np.maximum(shapes.body, arms),
    )


def _paint_arms(
    rng: np.random.Generator,
    canvas: Canvas,
    grid: SliceGrid,
    shapes: FatShapes,
    build: FatBuild,
    girth: Girth,
) -> Field:
    """Paint arms beside the body; return their signed distance."""
    both = np.full(grid.shape, -99, np.float32)
    excess = max(0.0, build.bmi - 20)
    radius = build.frame * (33 + 7 * shapes.level) + 0.7 * excess
    fat_mm = 3 + 0.35 * excess * build.subcutaneous
    for side in (-1, 1):
        away = girth.body[0] + radius + rng.uniform(3, 14)
        x, y = grid.x - side * away, grid.y - rng.uniform(-40, 0)
        wave = grid.noise(rng, scale_mm=30) * np.float32(2)
        if not build.arms:
            continue
        arm = np.minimum(ellipse_distance(x, y, radius, 1.15 * radius) + wave, -shapes.body - 1)
        bone = ellipse_distance(x, y + 4, 9, 10)
        canvas.paint_inside(arm, SKIN)
        canvas.paint_inside(arm - SKIN_MM, FAT)
        canvas.paint_inside(arm - SKIN_MM - fat_mm, MUSCLE)
        canvas.paint_inside(bone, CORTEX)
        canvas.paint_inside(bone - 3, Tissue(0.8, 0.1))
        both = np.maximum(both, arm)
    return both


def _paint_septa(
    rng: np.random.Generator, canvas: Canvas, grid: SliceGrid, shapes: FatShapes
) -> None:
    """Paint thin septa through the fat under the skin, and the fascia along it."""
    net = line_distance(grid, grid.noise(rng, scale_mm=18))
    canvas.paint(rng.uniform(0.1, 0.4) * _line(grid, net, 0.5), SEPTUM)
    depth = rng.uniform(0.35, 0.65) + 0.06 * grid.noise(rng, scale_mm=50)
    share = -shapes.trunk / np.maximum(shapes.body - shapes.trunk, 4)
    fascia = np.abs(share - depth) * np.maximum(shapes.body - shapes.trunk, 4)
    canvas.paint(rng.uniform(0.2, 0.7) * _line(grid, fascia, 0.6), SEPTUM)


def _paint_wall(
    rng: np.random.Generator, canvas: Canvas, grid: SliceGrid, shapes: FatShapes, build: FatBuild
) -> None:
    """Paint the muscles of belly and back, with fat between their layers and bundles."""
    x, y, size = shapes.x, shapes.y, shapes.size
    texture = 1 + 0.15 * grid.noise(rng, scale_mm=5)
    canvas.paint_inside(shapes.trunk, Tissue(0.05 * texture, 0.8 * texture))
    fatty = Tissue(0.85, 0.15)
    # Three layers at the sides, which end at the rectus abdominis.
    sideways = coverage(np.abs(x) - (62 * size + 4 * rng.standard_normal()), 6)
    sideways *= coverage(y + 45 * size, 8)
    thickness = 0.35 + 0.9 * build.marbling
    for depth in (0.33, 0.66):
        layer = np.abs(shapes.trunk - depth * 12 * size - 0.8 * grid.noise(rng, scale_mm=25))
        canvas.paint(sideways * _line(grid, layer, thickness), fatty)
    bent = np.abs(x + 3 * grid.noise(rng, scale_mm=16))
    seam = np.abs(bent - rng.uniform(56, 64) * size) - (0.5 + 3 * build.marbling)
    seam = np.minimum(-seam, np.minimum(shapes.trunk - 1.5, y - 12))
    canvas.paint_inside(seam, fatty)
    # Fat between the muscle bundles of the back, and at their edge; more with age and weight.
    behind = np.minimum(shapes.trunk - 3, -y - 62 * size)
    veins = line_distance(grid, grid.noise(rng, scale_mm=11))
    share = coverage(behind, 4) * coverage(grid.noise(rng, scale_mm=20) + 0.5, 1)
    canvas.paint(share * _line(grid, veins, 0.4 + 3 * build.marbling), fatty)
    slant = bent - 0.35 * (y + 70 * size)
    edge = np.abs(slant - rng.uniform(66, 76) * size) - (0.5 + 5 * build.marbling)
    canvas.paint_inside(np.minimum(-edge, np.minimum(shapes.trunk - 4, -y - 42 * size)), fatty)


def _paint_bones(
    rng: np.random.Generator, canvas: Canvas, grid: SliceGrid, shapes: FatShapes, build: FatBuild
) -> None:
    """Paint the vertebra with canal and processes, ribs above, iliac crests below."""
    x, y, size = shapes.x, shapes.y, shapes.size
    patchy = 1 + 0.12 * grid.noise(rng, scale_mm=8)
    marrow = Tissue(build.marrow_fat * patchy, 0.5 * (1 - build.marrow_fat) * patchy)
    behind = y - (SPINE_MM - 27) * size
    processes = [
        np.minimum(4.5 - np.abs(x), np.minimum(-behind - 8, behind + 40)),
        np.minimum(4.0 - np.abs(behind + 1 - 0.12 * np.abs(x)), 40 * size - np.abs(x)),
        ellipse_distance(x, behind, 19, 13),
    ]
    for process in processes:
        process = np.minimum(process, shapes.trunk - 1)
        canvas.paint_inside(process, CORTEX)
        canvas.paint_inside(process - 1.2, marrow)
    canal = ellipse_distance(x, behind - 1, 12, 9)
    canvas.paint_inside(canal, Tissue(0.9, 0.1))
    canvas.paint_inside(canal - 2.5, Tissue(0.03, 0.7))
    canvas.paint_inside(shapes.vertebra, CORTEX)
    canvas.paint_inside(shapes.vertebra - 1.0, marrow)
    inwards = shapes.trunk - rng.uniform(5, 7) * size
    for bone in _flat_bones(rng, shapes, inwards):
        canvas.paint_inside(np.minimum(bone, -shapes.cavity - 0.5), CORTEX)
        canvas.paint_inside(np.minimum(bone - 1.2, -shapes.cavity - 1.7), marrow)


def _flat_bones(rng: np.random.Generator, shapes: FatShapes, inwards: Field) -> list[Field]:
    """Signed distances of obliquely cut ribs in the wall, or of the iliac wings."""
    angle = np.arctan2(np.abs(shapes.x), shapes.y + 10)
    arc_mm = np.float32(110 * shapes.size)
    half = rng.uniform(8, 22, 3)
    at = np.array([1.25, 1.75, 2.15]) + rng.uniform(-0.12, 0.12, 3)
    if shapes.level > 0.6:
        return [
            np.minimum(h - np.abs(angle - a) * arc_mm, 3.5 - np.abs(inwards))
            for h, a in zip(half, at, strict=True)
        ]
    if shapes.level < 0.12:
        return [np.minimum(45 - np.abs(angle - 1.95) * arc_mm, 4.5 - np.abs(inwards - 3))]
    return []


def _paint_inside(
    rng: np.random.Generator, canvas: Canvas, grid: SliceGrid, shapes: FatShapes, build: FatBuild
) -> Field:
    """Paint visceral fat and the organs in it; return the fat's signed distance."""
    texture = 1 + 0.03 * grid.noise(rng, scale_mm=9)
    canvas.paint_inside(shapes.cavity, Tissue(0.93 * texture, 0.1 * texture))
    net = line_distance(grid, grid.noise(rng, scale_mm=14))
    within = coverage(shapes.cavity, grid.spacing_mm)
    canvas.paint(within * rng.uniform(0.2, 0.8) * _line(grid, net, 0.7), SEPTUM)
    organs = form_organs(rng, grid, shapes, build)
    taken = np.max([organ.distance for organ in organs], axis=0)
    organs += form_bowel(rng, grid, shapes, taken)
    taken = np.max([organ.distance for organ in organs], axis=0)
    free = np.minimum(shapes.cavity, -taken)
    vessels = mesenteric_vessels(rng, grid, shapes, free)
    canvas.paint_inside(vessels, VESSEL)
    for organ in organs:
        canvas.paint_inside(organ.distance, organ.tissue)
    return np.minimum(free, -vessels)


def _line(grid: SliceGrid, distance: Field, width_mm: float) -> Field:
    """Fraction of a pixel covered by a line, also if it is thinner than the pixel."""
    half = 0.5 * width_mm
    share = coverage(half - distance, max(grid.spacing_mm, width_mm))
    return share * np.float32(min(1.0, width_mm / grid.spacing_mm))
