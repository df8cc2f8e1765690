import numpy as np
import pytest

from medseg.data.phantoms.chest.lesions import Lesion, LesionKind, paint_lesions
from medseg.data.phantoms.grid import sample_grid

SHAPE = (48, 48, 48)
AIR = -860.0


def _paint(kind: LesionKind, **changes):
    """One focus in the middle of even lung, with its density and depth."""
    rng = np.random.default_rng(7)
    grid = sample_grid(rng, SHAPE)
    centre = (grid.affine @ (24, 24, 24, 1))[:3]
    values = {"normal": (0.0, 0.0, 1.0), "radii_mm": (60.0, 50.0), "fuzz_mm": 6.0, "septa": 0.0}
    values |= {"opacity": 0.95 if kind == "consolidation" else 0.35} | changes
    lesion = Lesion(kind=kind, centre_mm=tuple(centre), **values)
    density = np.full(SHAPE, AIR, np.float32)
    return density, paint_lesions(rng, grid, density, (lesion,)), grid


def test_ground_glass_leaves_air_in_the_lung_and_consolidation_hardly_any():
    # 35 % of the way from -860 to 35 HU is -547; 95 % is -10.
    density, depth, _ = _paint("ground_glass")
    assert np.median(density[depth > 10]) == pytest.approx(-547, abs=60)
    density, depth, _ = _paint("consolidation")
    assert np.median(density[depth > 10]) == pytest.approx(-10, abs=60)


def test_a_mixed_focus_is_denser_in_its_core():
    density, depth, _ = _paint("mixed")
    assert density[depth > 35].mean() > density[(depth > 8) & (depth < 12)].mean() + 150


def test_lung_far_from_a_focus_stays_as_it_was():
    density, depth, _ = _paint("ground_glass")
    assert (density[depth < -4] == AIR).all()
    assert (density[depth > 0] > AIR).all()
    assert depth[24, 24, 24] > 20


def test_a_focus_is_flatter_along_its_normal():
    _, depth, grid = _paint("ground_glass", radii_mm=(60.0, 25.0))
    inside = np.argwhere(depth > 0) @ grid.affine[:3, :3].T
    across = np.ptp(inside[:, 2])
    assert across < 0.75 * np.ptp(inside[:, 0])
    assert across < 0.75 * np.ptp(inside[:, 1])


def test_no_foci_paint_nothing():
    rng = np.random.default_rng(0)
    grid = sample_grid(rng, (8, 8, 8))
    density = np.full((8, 8, 8), AIR, np.float32)
    assert (paint_lesions(rng, grid, density, ()) < 0).all()
    assert (density == AIR).all()
