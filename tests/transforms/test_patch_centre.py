import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.transforms import Centres
from medseg.transforms.patch_centre import draw_start

ONE = {1: np.array([[10, 10]]), 2: np.array([[30, 30], [31, 31]])}


def starts(centres, class_voxels=ONE, *, shape=(50, 40), size=(8, 6), draws=400):
    rng = np.random.RandomState(0)
    return [draw_start(centres, class_voxels, shape, size, rng) for _ in range(draws)]


@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_a_patch_lies_in_the_volume_where_it_fits_and_around_it_where_not(seed, shape, size):
    voxels = {1: np.array([[shape[0] - 1, 0]])}
    start = draw_start(Centres(), voxels, shape, size, np.random.RandomState(seed))
    for first, extent, length in zip(start, size, shape, strict=True):
        assert (0 <= first <= length - extent) or (extent > length and first <= 0)
        assert first + extent >= min(length, extent)


def test_a_patch_on_foreground_has_the_voxel_in_its_middle():
    assert set(starts(Centres(foreground=1), {1: ONE[1]})) == {(10 - 4, 10 - 3)}


def test_classes_are_chosen_equally_often_whatever_their_size():
    first = [start == (6, 7) for start in starts(Centres(foreground=1))]
    assert np.mean(first) == pytest.approx(0.5, abs=0.08)


def test_class_weights_choose_among_the_classes_that_a_case_has():
    first = [s == (6, 7) for s in starts(Centres(foreground=1, class_weights=[3, 1]))]
    assert np.mean(first) == pytest.approx(0.75, abs=0.07)
    absent = {1: ONE[1], 2: np.zeros((0, 2), int)}
    assert set(starts(Centres(foreground=1, class_weights=[1, 9]), absent)) == {(6, 7)}


def test_the_share_of_foreground_is_kept_and_the_rest_lies_anywhere():
    found = starts(Centres(foreground=0.25), {1: ONE[1]})
    assert np.mean([s == (6, 7) for s in found]) == pytest.approx(0.25, abs=0.07)
    elsewhere = np.array([s for s in found if s != (6, 7)])
    np.testing.assert_array_equal(elsewhere.min(axis=0), [0, 0])
    np.testing.assert_allclose(elsewhere.max(axis=0), [42, 34], atol=1)


@pytest.mark.parametrize("voxels", [{}, {0: np.array([[1, 1]])}, {1: np.zeros((0, 2), int)}])
def test_a_case_of_background_alone_gives_patches_from_anywhere(voxels):
    assert len(set(starts(Centres(foreground=1), voxels))) > 100


def test_a_class_of_weight_zero_is_never_chosen():
    assert (6, 7) not in starts(Centres(foreground=1, class_weights=[0, 1]))
    assert len(set(starts(Centres(foreground=1, class_weights=[0, 1]), {1: ONE[1]}))) > 100


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"foreground": 1.2}, r"foreground must be in \[0, 1\], got 1.2"),
        ({"foreground": float("nan")}, "foreground must be"),
        ({"class_weights": []}, "class_weights must have one above 0"),
        ({"class_weights": [-1, 2]}, r"class_weights\[0\] must be a finite number"),
        ({"class_weights": [0, 0]}, "class_weights must have one above 0"),
    ],
)
def test_invalid_fractions_and_weights_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        Centres(**arguments)


def test_a_class_without_a_weight_is_named():
    with pytest.raises(ValueError, match="the case has class 2, got 1"):
        starts(Centres(foreground=1, class_weights=[1]))
