import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.transforms import (
    Elastic,
    Flip,
    Rotation,
    Shear,
    Shift,
    Warp,
    WarpRanges,
    Zoom,
    sample_warp,
)

EVERYTHING = WarpRanges(
    flip=Flip(axes=[0, 1], prob=0.5),
    rotation=Rotation(degrees=30, prob=0.5),
    zoom=Zoom(low=0.8, high=1.25, prob=0.5, axes="apart"),
    shear=Shear(degrees=10, prob=0.5),
    shift=Shift(max_mm=5, prob=0.5),
    elastic=Elastic(max_displacement_mm=6, control_spacing_mm=20, prob=0.5),
)


def drawn(ranges, *, seed=0, axes=3):
    return sample_warp(ranges, (40.0,) * axes, np.random.RandomState(seed))


@given(seed=st.integers(0, 10_000), axes=st.sampled_from([2, 3]))
def test_the_same_seed_draws_the_same_warp(seed, axes):
    one, two = drawn(EVERYTHING, seed=seed, axes=axes), drawn(EVERYTHING, seed=seed, axes=axes)
    assert one.record() == two.record()
    assert np.linalg.det(one.matrix) != 0


def test_no_ranges_draw_the_identity():
    assert drawn(WarpRanges()).flips == ()
    assert Warp.identity(3).flips == ()


def test_a_component_happens_as_often_as_it_says():
    ranges = WarpRanges(rotation=Rotation(degrees=30, prob=0.25))
    rng = np.random.RandomState(0)
    turned = sum(sample_warp(ranges, (40.0, 40.0), rng).flips is None for _ in range(2000))
    assert turned / 2000 == pytest.approx(0.25, abs=0.03)


def test_a_rotation_in_the_plane_is_cosine_and_sine_of_at_most_its_degrees():
    matrix = drawn(WarpRanges(rotation=Rotation(degrees=30, prob=1)), axes=2).matrix
    angle = np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))
    assert 0 < abs(angle) <= 30
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(2), atol=1e-12)


def test_degrees_may_differ_by_axis_and_the_third_turns_in_the_plane_of_the_first_two():
    matrix = drawn(WarpRanges(rotation=Rotation(degrees=[0, 0, 20], prob=1))).matrix
    np.testing.assert_allclose(matrix[2], [0, 0, 1])
    assert matrix[0, 1] != 0


def test_zooming_in_takes_voxels_from_nearer():
    matrix = drawn(WarpRanges(zoom=Zoom(low=2, high=2, prob=1))).matrix
    np.testing.assert_allclose(matrix, np.eye(3) / 2)


def test_axes_are_zoomed_together_unless_they_are_zoomed_apart():
    zoom = Zoom(low=0.5, high=2, prob=1)
    together = np.diag(drawn(WarpRanges(zoom=zoom)).matrix)
    apart = np.diag(drawn(WarpRanges(zoom=replace(zoom, axes="apart"))).matrix)
    assert len(set(together)) == 1
    assert len(set(apart)) == 3


@given(seed=st.integers(0, 1000))
def test_shear_keeps_the_volume(seed):
    matrix = drawn(WarpRanges(shear=Shear(degrees=20, prob=1)), seed=seed).matrix
    assert np.linalg.det(matrix) == pytest.approx(1)


@given(seed=st.integers(0, 1000))
def test_no_control_point_moves_further_than_it_may(seed):
    elastic = Elastic(max_displacement_mm=4, control_spacing_mm=20, prob=1)
    displacement = drawn(WarpRanges(elastic=elastic), seed=seed).displacement_mm
    assert displacement is not None
    assert displacement.shape == (3, 5, 5, 5)  # 40 mm are two cells of 20 mm
    assert np.linalg.norm(displacement, axis=0).max() <= 4


def test_flips_alone_are_named_and_anything_else_is_not_a_flip():
    assert drawn(WarpRanges(flip=Flip(axes=[0, 2], prob=1))).flips == (0, 2)
    assert drawn(WarpRanges(flip=Flip(axes=[], prob=1))).flips == ()
    assert drawn(WarpRanges(shift=Shift(max_mm=3, prob=1))).flips is None


def test_the_parameters_of_a_warp_can_be_recorded_as_json():
    record = json.loads(json.dumps(drawn(EVERYTHING, seed=3).record()))
    assert set(record) == {"matrix", "shift_mm", "displacement_mm", "control_spacing_mm"}


@pytest.mark.parametrize(
    ("ranges", "says"),
    [
        (WarpRanges(flip=Flip(axes=[2])), "Flip: axes must be below 2"),
        (
            WarpRanges(shift=Shift(max_mm=[1, 2, 3], prob=1)),
            "Shift: max_mm must be one number or 2",
        ),
        (WarpRanges(rotation=Rotation(degrees=[1, 2], prob=1)), "Rotation: degrees must be one"),
    ],
)
def test_ranges_for_more_axes_than_there_are_are_refused(ranges, says):
    with pytest.raises(ValueError, match=says):
        drawn(ranges, axes=2)
