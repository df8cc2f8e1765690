"""What turning a volume for the picture promises."""

from itertools import permutations, product

import nibabel
import numpy as np
import pytest

from medseg.reports.hanging import hang

# R or L, A or P, S or I, in any order: the 48 ways to store a volume along the body's axes.
ORIENTATIONS = [
    "".join(codes) for directions in product("RL", "AP", "SI") for codes in permutations(directions)
]


def stored_as(codes, volume, affine):
    """The volume `(R, A, S)` with its axes stored towards `codes`, and its affine."""
    start = nibabel.io_orientation(affine)
    goal = nibabel.orientations.axcodes2ornt(tuple(codes))
    transform = nibabel.orientations.ornt_transform(start, goal)
    stored = nibabel.orientations.apply_orientation(volume, transform)
    return stored, affine @ nibabel.orientations.inv_ornt_aff(transform, volume.shape)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_way_to_store_a_volume_turns_into_the_same_array(codes):
    volume = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (-10, 20, 30)
    stored, its_affine = stored_as(codes, volume, affine)
    hanging = hang(stored.shape, its_affine)
    # Towards left and back: the first two axes of R, A, S backwards.
    np.testing.assert_array_equal(hanging.turn(stored), volume[::-1, ::-1])
    assert hanging.spacing_mm == pytest.approx((1, 2, 3))
    # Voxel (2, 3, 4) of the file lies 20 + 2 * 3 mm in front and 30 + 3 * 4 mm above;
    # drawn, it is (0, 0, 4).
    assert hanging.front_and_top_mm((0, 0, 4)) == pytest.approx((26, 42))


def test_an_oblique_volume_goes_to_the_nearest_axes():
    turn = np.deg2rad(30)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    volume = np.arange(8).reshape(2, 2, 2)
    assert hang(volume.shape, affine).oblique_degrees == pytest.approx(30)
    np.testing.assert_array_equal(hang(volume.shape, affine).turn(volume), volume[::-1, ::-1])
