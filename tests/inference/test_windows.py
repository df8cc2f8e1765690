import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.inference.windows import plan_windows

axis = st.tuples(st.integers(1, 12), st.integers(0, 20))


@given(
    axes=st.lists(axis, min_size=2, max_size=3),
    overlap=st.floats(0, 0.95),
    blend=st.sampled_from(["constant", "gaussian"]),
)
def test_the_weights_of_all_windows_that_hold_a_voxel_sum_to_one(axes, overlap, blend):
    size = [window for window, _ in axes]
    shape = [window + more for window, more in axes]
    windows = plan_windows(shape, size, overlap=overlap, blend=blend)
    for length, extent, starts, weights in zip(
        shape, size, windows.starts, windows.weights, strict=True
    ):
        total = np.zeros(length)
        for start, weight in zip(starts, weights, strict=True):
            total[start : start + extent] += weight
        np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_windows_step_by_what_they_do_not_share_and_the_last_one_ends_at_the_end():
    # 10 voxels, windows of 4, half of it shared: steps of 2, the last at 10 - 4.
    windows = plan_windows((10, 11), (4, 4), overlap=0.5)
    assert windows.starts == ((0, 2, 4, 6), (0, 2, 4, 6, 7))
    assert windows.count == 20


def test_gaussian_weights_are_greatest_in_the_middle():
    weights = plan_windows((9, 9), (9, 9), overlap=0).weights[0][0]
    np.testing.assert_array_equal(weights, np.ones(9))  # alone, a window decides everywhere
    first = plan_windows((13, 9), (9, 9), overlap=0.5).weights[0][0]
    assert (np.diff(first) <= 1e-6).all()  # more and more is left to the second


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"overlap": 1.0}, r"overlap must be in \[0, 1\), got 1.0"),
        ({"overlap": float("nan")}, "overlap must be"),
        ({"blend": "hann"}, "blend must be one of .*'hann'"),
        ({"size": (4, 99)}, r"size must fit into shape \(10, 10\), got \(4, 99\)"),
        ({"size": (4,)}, "size must fit"),
    ],
)
def test_windows_that_cannot_be_laid_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        plan_windows(**{"shape": (10, 10), "size": (4, 4), **arguments})
