"""Which pixels lie in contours: by hand, by laws, and by matplotlib."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path

from medseg.data.dicom.labels.fill import filled

SHAPE = (12, 14)
inside = st.integers(0, 40).map(lambda quarter: quarter / 4)
points = st.lists(
    st.tuples(st.floats(-3, 15, width=32), st.floats(-3, 17, width=32)), min_size=3, max_size=12
).map(np.array)


def box(top, left, bottom, right):
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)], float)


def test_a_square_between_centres_holds_the_pixels_in_it():
    found = filled([box(1.5, 2.5, 3.5, 5.5)], (6, 7))
    assert found.astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, 1, 0],
        [0, 0, 0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]


def test_of_centres_on_the_contour_the_lower_sides_are_inside():
    found = filled([box(1, 2, 3, 5)], (6, 7))
    assert np.argwhere(found).tolist() == [[i, j] for i in (1, 2) for j in (2, 3, 4)]


def test_a_contour_within_another_is_a_hole_and_one_in_that_an_island():
    rings = [box(0, 0, 10, 10), box(2, 2, 8, 8), box(4, 4, 6, 6)]
    assert filled(rings, SHAPE).sum() == 100 - 36 + 4


def test_a_keyhole_is_the_hole_that_it_is_cut_for():
    hole = filled([box(0, 0, 10, 10), box(2, 2, 8, 8)], SHAPE)
    outer, inner = [(0, 0), (0, 10), (10, 10), (10, 0)], [(8, 2), (8, 8), (2, 8), (2, 2)]
    cut = np.array([*outer, (5, 0), (5, 2), *inner, (5, 2), (5, 0)], float)
    np.testing.assert_array_equal(filled([cut], SHAPE), hole)


@given(inside, inside, st.integers(1, 2), st.integers(1, 3))
def test_a_rectangle_has_as_many_pixels_as_its_area_wherever_it_lies(top, left, height, width):
    assert filled([box(top, left, top + height, left + width)], (13, 14)).sum() == height * width


@given(points)
def test_where_a_contour_begins_and_which_way_it_runs_changes_nothing(contour):
    whole = filled([contour], SHAPE)
    np.testing.assert_array_equal(filled([np.roll(contour, 2, axis=0)], SHAPE), whole)
    np.testing.assert_array_equal(filled([contour[::-1]], SHAPE), whole)


@given(points, points)
def test_two_contours_are_the_exclusive_or_of_each(one, other):
    both = filled([one, other], SHAPE)
    np.testing.assert_array_equal(both, filled([one], SHAPE) ^ filled([other], SHAPE))


@given(points)
def test_a_contour_beyond_the_image_is_cut_at_its_edge(contour):
    larger = filled([contour + 5], (24, 26))
    np.testing.assert_array_equal(filled([contour], SHAPE), larger[5:17, 5:19])


@given(points, st.integers(2, 9))
def test_parts_of_a_contour_share_no_pixel_and_leave_none_out(contour, cut):
    cut = min(cut, len(contour) - 1)
    parts = contour[: cut + 1], np.concatenate([contour[cut:], contour[:1]])
    together = filled([parts[0]], SHAPE) ^ filled([parts[1]], SHAPE)
    np.testing.assert_array_equal(together, filled([contour], SHAPE))


@pytest.mark.parametrize("seed", range(20))
def test_matplotlib_finds_the_same_pixels(seed):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 40))
    radii = rng.uniform(5, 25, 40)
    star = np.stack([30 + radii * np.sin(angles), 32 + radii * np.cos(angles)], axis=1)
    centres = np.stack(np.indices((60, 64)), axis=-1).reshape(-1, 2)
    narrow, wide = (
        Path(star).contains_points(centres, radius=radius).reshape(60, 64)
        for radius in (-1e-3, 1e-3)
    )
    # Of a centre on the contour, the two need not think alike.
    clear = narrow == wide
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(filled([star], (60, 64))[clear], wide[clear])
