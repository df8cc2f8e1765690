import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.data.phantoms.grid import coverage, profile, sample_grid, smooth_minimum
from tests.strategies import seeds

distances = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=8).map(
    lambda values: np.array(values, np.float32)
)


@settings(max_examples=20)
@given(seed=seeds, shape=st.tuples(*[st.integers(8, 20)] * 3))
def test_coordinates_points_and_voxels_agree(seed, shape):
    grid = sample_grid(np.random.default_rng(seed), shape)
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    body = grid.to_body(voxels)
    for axis, field in enumerate((grid.x, grid.y, grid.z)):
        np.testing.assert_allclose(field.ravel(), body[:, axis], atol=1e-3)
    np.testing.assert_allclose(grid.to_voxels(body), voxels, atol=1e-9)
    # The scanner's frame is the body's, in true size and shifted.
    world = voxels @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    np.testing.assert_allclose(world, body * grid.stature + grid.offset_mm, atol=1e-9)


@settings(max_examples=20)
@given(seed=seeds)
def test_the_field_of_view_holds_a_chest(seed):
    grid = sample_grid(np.random.default_rng(seed), (160, 128, 72))
    field = np.array(grid.shape) * grid.spacing_mm
    assert (field >= (370, 300, 290)).all()
    assert (field <= (440, 340, 320)).all()
    assert grid.spacing_mm[0] == grid.spacing_mm[1]


def test_noise_has_mean_0_and_sd_1_and_the_size_it_was_asked_for():
    rng = np.random.default_rng(0)
    grid = sample_grid(rng, (64, 64, 64))
    coarse, fine = grid.noise(rng, scale_mm=40), grid.noise(rng, scale_mm=12)
    for field in (coarse, fine):
        assert abs(field.mean()) < 0.25
        assert 0.75 < field.std() < 1.25
    assert np.abs(np.diff(coarse, axis=0)).mean() < 0.5 * np.abs(np.diff(fine, axis=0)).mean()


def test_coverage_by_hand():
    # On the surface half of a voxel of 2 mm is inside; 0.5 mm deeper three quarters.
    share = coverage(np.array([-3, -1, 0, 0.5, 1, 9], np.float32), 2.0)
    np.testing.assert_allclose(share, [0, 0, 0.5, 0.75, 1, 1])


def test_a_profile_passes_its_knots_and_stays_constant_beyond():
    # Halfway between two knots the smooth step is halfway as well: (2 + 6) / 2 = 4.
    values = profile(np.array([-99, 0, 5, 10, 20, 99], np.float32), [(0, 2), (10, 6), (20, 1)])
    np.testing.assert_allclose(values, [2, 2, 4, 6, 1, 1], atol=1e-6)


@given(first=distances, shift=st.floats(-50, 50, width=32), radius=st.floats(0.5, 20))
def test_a_smooth_minimum_is_a_minimum_but_near_the_crease(first, shift, radius):
    second = first + np.float32(shift)
    smooth, sharp = smooth_minimum(first, second, radius), np.minimum(first, second)
    assert (smooth <= sharp + 1e-4).all()
    assert (smooth >= sharp - radius / 4 - 1e-4).all()
    if abs(shift) > radius:
        assert smooth == pytest.approx(sharp, abs=1e-4)
