import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.data.phantoms.chest.trees import Tubes, draw_tubes, grow_tree
from medseg.data.phantoms.grid import sample_grid
from tests.strategies import seeds


@settings(max_examples=20)
@given(seed=seeds, ends=st.integers(1, 40))
def test_a_tree_reaches_every_target_and_grows_thinner(seed, ends):
    rng = np.random.default_rng(seed)
    targets = rng.uniform(-50, 50, (ends, 3))
    tree = grow_tree(rng, np.zeros(3), targets, radius_mm=8.0)
    distance = np.linalg.norm(tree.ends_mm[:, None] - targets[None], axis=-1)
    assert distance.min(axis=0).max() < 1e-9
    assert tree.radii_mm.max() <= 8.0
    assert tree.radii_mm.min() > 0
    # Every tube but those at the root starts where another one ends.
    starts = tree.starts_mm[np.abs(tree.starts_mm).max(axis=1) > 0]
    joined = np.linalg.norm(starts[:, None] - tree.ends_mm[None], axis=-1).min(axis=1)
    assert joined.max(initial=0) < 1e-9


@pytest.mark.parametrize("radius_mm", [6.0, 12.0, 30.0])
def test_a_drawn_tube_has_the_volume_of_a_cylinder(radius_mm):
    grid = sample_grid(np.random.default_rng(1), (96, 96, 96))
    tube = Tubes(np.array([[-40.0, 0, -30]]), np.array([[60.0, 10, -30]]), np.array([radius_mm]))
    volume = draw_tubes(grid, tube).sum() * np.prod(grid.spacing_mm)
    # The ends are rounded: a cylinder and a ball. An edge that fades over a voxel of width w
    # turns the area pi r^2 into pi (r^2 + w^2 / 12).
    length = np.linalg.norm((tube.ends_mm - tube.starts_mm) * grid.stature)
    area = np.pi * (radius_mm**2 + grid.spacing_mm[0] ** 2 / 12)
    assert volume == pytest.approx(area * length + 4 / 3 * np.pi * radius_mm**3, rel=0.02)


def test_a_tube_thinner_than_a_voxel_is_fainter():
    grid = sample_grid(np.random.default_rng(1), (48, 48, 48))
    ends = np.array([[-40.0, 0, -30]]), np.array([[60.0, 10, -30]])
    thin, thick = (
        draw_tubes(grid, Tubes(*ends, np.array([r * grid.spacing_mm[0]]))) for r in (0.2, 1.0)
    )
    assert thin.max() < 0.5 < thick.max() <= 1
    assert (thin <= thick).all()


def test_a_tube_outside_the_field_of_view_leaves_no_trace():
    grid = sample_grid(np.random.default_rng(1), (16, 16, 16))
    tube = Tubes(np.array([[900.0, 0, 0]]), np.array([[999.0, 0, 0]]), np.array([5.0]))
    assert draw_tubes(grid, tube).max() == 0


def test_a_curve_goes_through_its_points():
    points = [(0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (10.0, 10.0, 5.0)]
    tubes = Tubes.along(points, 3.0)
    path = np.concatenate([tubes.starts_mm, tubes.ends_mm[-1:]])
    for point in points:
        assert np.linalg.norm(path - point, axis=1).min() < 1e-9
    assert set(tubes.wider(1.5).radii_mm) == {4.5}
