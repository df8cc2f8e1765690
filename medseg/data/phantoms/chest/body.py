"""Outlines of a chest phantom, as signed distances: body, rib cage, heart, lungs.

Each is a formula in millimetres plus a smooth random displacement, so no two cases share an
outline. Sizes follow adult chest CT: a rib cage of about 26 x 16 cm inside, lungs of 3 to 5 litres,
the right one larger, the left one indented by the heart.
"""

from dataclasses import dataclass

import numpy as np

from medseg.data.phantoms.distance import (
    ellipse_distance,
    ellipsoid_distance,
    super_ellipse_distance,
)
from medseg.data.phantoms.grid import Field, Grid, profile, smooth_minimum

__all__ = ["Build", "Shapes", "form_shapes", "sample_build"]


@dataclass(frozen=True, kw_only=True)
class Build:
    """One patient's proportions.

    Attributes:
        cage_mm: Half width and half depth of the rib cage, inside.
        apex_mm: Height of the apices of the lungs.
        domes_mm: Heights of the right and left dome of the diaphragm.
        heart: Size factor of the heart.
        fat_mm: Thickness of the fat under the skin at the sides.
        breast_mm: Height of the breasts.
        kyphosis_mm: Forward bend of the ends of the spine.
        waviness_mm: SD of the random displacement of the lungs' surface.
    """

    cage_mm: tuple[float, float]
    apex_mm: float
    domes_mm: tuple[float, float]
    heart: float
    fat_mm: float
    breast_mm: float
    kyphosis_mm: float
    waviness_mm: float


@dataclass(frozen=True, eq=False)
class Shapes:
    """Signed distances in mm, positive inside, all `(I, J, K)`.

    Attributes:
        body: Torso.
        cage: Inside of the rib cage.
        heart: Heart with its fat.
        above: Space above the diaphragm.
        spine: Vertebral bodies.
        behind_spine: Distance backwards from the middle of the vertebral bodies.
        lung: Both lungs.
    """

    body: Field
    cage: Field
    heart: Field
    above: Field
    spine: Field
    behind_spine: Field
    lung: Field


def sample_build(rng: np.random.Generator) -> Build:
    """Draw a patient."""
    right_dome = rng.uniform(-96, -74)
    return Build(
        cage_mm=(rng.uniform(122, 134), rng.uniform(84, 97)),
        apex_mm=rng.uniform(94, 104),
        domes_mm=(right_dome, right_dome - rng.uniform(4, 18)),
        heart=rng.uniform(0.9, 1.15),
        fat_mm=rng.uniform(8, 22),
        breast_mm=rng.uniform(4, 22),
        kyphosis_mm=rng.uniform(4, 16),
        waviness_mm=rng.uniform(1.2, 2.4),
    )


def form_shapes(rng: np.random.Generator, grid: Grid, build: Build) -> Shapes:
    """Generate the outlines of one patient on a grid."""
    x, y, z = grid.x, grid.y, grid.z
    wave = grid.noise(rng, scale_mm=45) * np.float32(build.waviness_mm)
    body = _torso(x, y, z, build) + wave
    cage = _rib_cage(x, y, z, build)
    heart = _heart(x, y, z, build) + 2 * wave
    above = _above_diaphragm(x, y, z, build) + wave
    forward = build.kyphosis_mm * ((z + 30) / 130) ** 2
    behind_spine = forward - y - 63
    spine = ellipse_distance(x, behind_spine, 22, 18)
    fine = grid.noise(rng, scale_mm=22) * np.float32(0.6 * build.waviness_mm)
    outside = np.maximum(heart, spine + 3)
    lung = smooth_minimum(cage - 2.5, _beside_mediastinum(x, y, z), 8)
    lung = smooth_minimum(lung, -outside, 6)
    lung = smooth_minimum(lung, above - 2, 6) + wave + fine
    # The displacement must not push a lung into the ribs or the other lung.
    lung = np.minimum(lung, np.minimum(cage - 1.5, np.abs(x) - 4))
    return Shapes(body, cage, heart, above, spine, behind_spine, lung)


def _torso(x: Field, y: Field, z: Field, build: Build) -> Field:
    side = build.cage_mm[0] + 22 + build.fat_mm
    depth = build.cage_mm[1] + 20 + 0.5 * build.fat_mm
    width = profile(
        z, [(-180, side - 4), (-100, side), (20, side + 2), (75, side + 8), (125, side - 12)]
    )
    front = profile(z, [(-180, depth), (-60, depth + 2), (50, depth - 6), (120, depth - 34)])
    back = profile(z, [(-180, depth + 4), (-40, depth + 10), (60, depth + 8), (120, depth - 8)])
    breast = np.exp(-(((np.abs(x) - 74) / 44) ** 2) - ((z + 18) / 52) ** 2)
    shallow = np.where(y > 0, front + build.breast_mm * breast, back)
    # The back is flattened by the couch.
    exponent = np.where(y > 0, np.float32(2.3), np.float32(3.0))
    return super_ellipse_distance(x, y, width, shallow, exponent)


def _rib_cage(x: Field, y: Field, z: Field, build: Build) -> Field:
    half_width, half_depth = build.cage_mm
    top = build.apex_mm
    shares = [(-175, 0.97), (-100, 1.0), (-30, 0.97), (30, 0.83), (top - 38, 0.66)]
    shares += [(top - 14, 0.44), (top + 2, 0.16)]
    share = profile(z, shares)
    deep = np.maximum(share, profile(z, [(30, 0.0), (60, 0.72), (top - 12, 0.5), (top + 2, 0.16)]))
    back = profile(z, [(0, 0), (top, 8)])
    flat = super_ellipse_distance(
        x, y + back, half_width * share, half_depth * deep, np.float32(2.35)
    )
    # Near the top the wall leans inwards, where the horizontal distance is too large.
    lean = profile(z, [(20, 1.0), (top - 30, 0.75), (top, 0.45)])
    return np.minimum(flat * lean, np.float32(top) - z)


def _heart(x: Field, y: Field, z: Field, build: Build) -> Field:
    size = build.heart
    # Long axis to the left, the front and down.
    u = 0.74 * x - 0.42 * y + 0.52 * z
    v = 0.49 * x + 0.87 * y
    w = -0.46 * x + 0.26 * y + 0.85 * z
    ventricles = ellipsoid_distance((u + 62, v - 10, w + 33), (66 * size, 45 * size, 46 * size))
    atrium = ellipsoid_distance((x - 20, y - 14, z + 45), (30 * size, 34 * size, 42 * size))
    return -smooth_minimum(-ventricles, -atrium, 14)


def _above_diaphragm(x: Field, y: Field, z: Field, build: Build) -> Field:
    def dome(centre: float, height: float) -> Field:
        # Flatter towards the middle, where the heart lies on the central tendon.
        outwards = np.where((x - centre) * centre > 0, 1 / 86, 1 / 122)
        squared = ((x - centre) * outwards) ** 2 + ((y - 14) / 88) ** 2
        return np.float32(height) - 64 * squared

    right, left = dome(68, build.domes_mm[0]), dome(-72, build.domes_mm[1])
    return (z + smooth_minimum(-right, -left, 16)) * np.float32(0.8)


def _beside_mediastinum(x: Field, y: Field, z: Field) -> Field:
    """Signed distance outwards from the mediastinum, without heart and spine."""
    upper = profile(z, [(-60, 0.45), (-25, 0.85), (25, 1.0), (60, 0.85), (100, 0.6)])
    great_vessels = np.exp(-np.square(np.square((y - 2) / 42))) * upper
    behind = profile(y, [(-92, 32), (-56, 0)])
    aorta = np.exp(-(((y + 42) / 17) ** 2)) * profile(z, [(20, 1.0), (45, 0.0)])
    half_width = 7 + 23 * great_vessels + behind
    return np.abs(x) - np.where(x < 0, np.maximum(half_width, 36 * aorta), half_width)
