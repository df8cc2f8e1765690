"""Bowel and mesenteric vessels of the fat phantom.

Bowel loops lie on a jittered hexagonal grid that stretches with the cavity: densely packed in lean
patients, far apart in obese ones, with correspondingly more visceral fat between them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.data.phantoms.fat.canvas import Tissue
from medseg.data.phantoms.fat.organs import GAP_MM, Organ
from medseg.data.phantoms.fat.shapes import FatShapes
from medseg.data.phantoms.fat.slice_grid import SliceGrid
from medseg.data.phantoms.grid import Field

__all__ = ["form_bowel", "mesenteric_vessels"]

WALL = Tissue(0.05, 0.7)
WALL_MM = 2.0
# Possible fat fractions of a loop's content, and their probabilities; gas gives no signal.
CONTENTS, ODDS = (0.02, 0.06, 0.15, 0.4), (0.35, 0.35, 0.2, 0.1)
FAR_MM = np.float32(-60)


def form_bowel(
    rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes, taken: Field
) -> list[Organ]:
    """Generate colon and small bowel.

    Args:
        rng: The only source of randomness.
        grid: The grid.
        shapes: The slice's outlines.
        taken: Signed distance to the other organs, positive inside.

    Returns:
        Walls and contents, in painting order.
    """
    wave = grid.noise(rng, scale_mm=14) * np.float32(1.8)
    stool = grid.noise(rng, scale_mm=5)
    colon = _colon(rng, grid, shapes)
    small = _small_bowel(rng, grid, shapes)
    organs = list[Organ]()
    for number, loops in enumerate((colon, small)):
        room = np.minimum(shapes.cavity - GAP_MM, -taken - 1)
        loop = np.minimum(loops[0] + wave, room)
        texture = np.clip(loops[1] * (1 + (0.7 if number == 0 else 0.3) * stool), 0.01, 0.7)
        inside = Tissue(texture, np.where(loops[1] > 0.02, 0.6 * (1 - texture), 0.02))
        organs += [Organ(loop, WALL), Organ(loop - WALL_MM, inside)]
        taken = np.maximum(taken, loop)
    return organs


def mesenteric_vessels(
    rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes, free: Field
) -> Field:
    """Cross-sections of vessels, 0.6 to 2.5 mm in radius, in the fat between organs.

    Args:
        rng: The only source of randomness.
        grid: The grid.
        shapes: The slice's outlines.
        free: Signed distance of the free fat, positive inside.

    Returns:
        `(I, J)`, signed distance in mm, positive inside a vessel.
    """
    count = int(rng.integers(90, 160))
    side, front = float(shapes.x[shapes.cavity > 0].max()), float(shapes.y[shapes.cavity > 0].max())
    places = rng.uniform((-side, -0.6 * front), (side, front), (count, 2))
    radii = 0.6 + 1.9 * rng.beta(1.2, 4, count)
    none = np.zeros(count)
    turns = rng.uniform(0, np.pi, count)
    vessels = _draw(grid, _Pieces(places, radii, none, rng.exponential(2, count), turns))[0]
    return np.minimum(vessels, free + 0.5)


def _colon(rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes) -> tuple[Field, Field]:
    """Ascending colon right, descending colon left, transverse colon in front at higher levels."""
    inside = shapes.cavity > 0
    side, front = float(shapes.x[inside].max()), float(shapes.y[inside].max())
    places = [(side - rng.uniform(24, 32), rng.uniform(-18, 6))]
    places += [(-side + rng.uniform(18, 26), rng.uniform(-24, 0))]
    radii = [rng.uniform(15, 23), rng.uniform(9, 15)]
    middle, reach = rng.uniform(0.35, 0.6), rng.uniform(0.1, 0.2)
    line = np.linspace(-0.75, 0.75, 11)
    swing, width = rng.uniform(-6, 6, len(line)), rng.uniform(11, 17, len(line))
    if abs(shapes.level - middle) < reach:
        places += [
            (u * side * 0.9, (front - 24) * (1 - 0.55 * u * u) + s)
            for u, s in zip(line, swing, strict=True)
        ]
        radii += list(width)
    contents = rng.choice(CONTENTS, len(radii), p=(0.25, 0.25, 0.3, 0.2))
    halves, turns = rng.uniform(0, 5, len(radii)), rng.uniform(0, np.pi, len(radii))
    return _draw(grid, _Pieces(np.array(places), np.array(radii), contents, halves, turns))


def _small_bowel(
    rng: np.random.Generator, grid: SliceGrid, shapes: FatShapes
) -> tuple[Field, Field]:
    inside = shapes.cavity > 0
    side, front = float(shapes.x[inside].max()), float(shapes.y[inside].max())
    # The number of loops is the same in each patient: the pitch grows with the cavity.
    pitch = float(np.sqrt(side * (front + 20)) * rng.uniform(0.24, 0.3))
    rows, columns = np.mgrid[-5:6, -6:7].reshape(2, -1).astype(float)
    places = np.stack(((columns + 0.5 * (rows % 2)) * pitch, rows * 0.87 * pitch + 14), axis=1)
    places += rng.normal(0, 0.16 * pitch, places.shape)
    radii = rng.uniform(7, 15, len(places)) * shapes.size
    contents = rng.choice(CONTENTS, len(places), p=ODDS)
    left_out = rng.random(len(places)) < 0.15
    reach = (np.abs(places[:, 0]) / (0.8 * side)) ** 2
    reach += (np.abs(places[:, 1] - 8) / (0.9 * front)) ** 2
    # At the level of the liver, loops lie on the left.
    below = places[:, 0] < 200 * (0.75 - shapes.level)
    chosen = (reach < 1) & ~left_out & below & (places[:, 1] > -25)
    halves = rng.exponential(0.25 * pitch, len(places))
    turns = rng.uniform(0, np.pi, len(places))
    drawn = (a[chosen] for a in (places, radii, contents, halves, turns))
    return _draw(grid, _Pieces(*drawn))


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Cross-sections of tubes: discs elongated to stadiums; all `(N,)` but places.

    Attributes:
        places: `(N, 2)`, centres in mm.
        radii: In mm.
        contents: Fat fraction of the content.
        halves: Half the length of the elongation, in mm.
        turns: Direction of the elongation, in radians.
    """

    places: NDArray[np.float64]
    radii: NDArray[np.float64]
    contents: NDArray[np.float64]
    halves: NDArray[np.float64]
    turns: NDArray[np.float64]


def _draw(grid: SliceGrid, pieces: _Pieces) -> tuple[Field, Field]:
    """Signed distance to the nearest piece, and the fat fraction of its content."""
    distance = np.full(grid.shape, FAR_MM, np.float32)
    content = np.full(grid.shape, 0.05, np.float32)
    x, y = grid.x[:, 0], grid.y[0]
    for n, (px, py) in enumerate(pieces.places):
        half, radius = pieces.halves[n], pieces.radii[n]
        cos, sin = np.cos(pieces.turns[n]), np.sin(pieces.turns[n])
        reach = radius + half + 12
        rows = slice(*np.searchsorted(x, (px - reach, px + reach)))
        columns = slice(*np.searchsorted(y, (py - reach, py + reach)))
        dx, dy = x[rows, None] - px, y[None, columns] - py
        along = np.clip(dx * cos + dy * sin, -half, half)
        own = radius - np.hypot(dx - along * cos, dy - along * sin)
        nearer = own > distance[rows, columns]
        distance[rows, columns] = np.where(nearer, own, distance[rows, columns])
        content[rows, columns] = np.where(nearer, pieces.contents[n], content[rows, columns])
    return distance, content
