import numpy as np
import pytest

from medseg.data.phantoms.chest.body import form_shapes, sample_build
from medseg.data.phantoms.grid import sample_grid


@pytest.fixture(scope="module", params=range(4))
def patient(request):
    """A grid and the outlines of a patient on it."""
    rng = np.random.default_rng(request.param)
    grid = sample_grid(rng, (80, 64, 48))
    return grid, form_shapes(rng, grid, sample_build(rng))


def test_lungs_lie_in_the_rib_cage_and_the_rib_cage_in_the_body(patient):
    _, shapes = patient
    assert (shapes.cage[shapes.lung > 0] > 0).all()
    # At least skin, fat and muscle between the ribs and the air.
    assert (shapes.body[shapes.cage > 0] > 4).all()


def test_heart_is_on_the_left_and_lies_on_the_diaphragm(patient):
    grid, shapes = patient
    heart = shapes.heart > 0
    assert grid.x[heart].mean() < -5
    assert 300 < heart.sum() * np.prod(grid.spacing_mm) / 1000 < 1100
    assert abs(shapes.above[heart]).min() < 5


def test_the_lungs_reach_lowest_at_the_back(patient):
    grid, shapes = patient
    lung = shapes.lung > 0
    assert grid.z[lung & (grid.y < -30)].min() < grid.z[lung & (abs(grid.y) < 20)].min()


def test_no_two_patients_share_an_outline(patient):
    _, shapes = patient
    rng = np.random.default_rng(99)
    other = form_shapes(rng, sample_grid(rng, (80, 64, 48)), sample_build(rng))
    assert ((shapes.lung > 0) != (other.lung > 0)).any()
