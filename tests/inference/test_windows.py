import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.data.utils import compute_importance_map

from medseg.inference.windows import plan_windows


@given(size=st.lists(st.integers(1, 24), min_size=2, max_size=3))
def test_a_voxel_counts_what_it_does_with_monai(size):
    for blend in ("constant", "gaussian"):
        weight = plan_windows(size, size, blend=blend).weight
        expected = compute_importance_map(tuple(size), mode=blend, sigma_scale=0.125)
        np.testing.assert_allclose(weight, expected.numpy(), rtol=1e-5)


def test_windows_step_by_what_they_do_not_share_and_the_last_one_ends_at_the_end():
    # 10 voxels, windows of 4, half of it shared: steps of 2, the last at 10 - 4.
    windows = plan_windows((10, 11), (4, 4), overlap=0.5)
    assert windows.starts == ((0, 2, 4, 6), (0, 2, 4, 6, 7))
    assert windows.count == 20


def test_gaussian_weights_by_hand():
    # 9 / 8 voxels are one standard deviation: a neighbour of the middle counts exp(-0.5 * (8/9)^2).
    weight = plan_windows((9, 9), (9, 9)).weight
    assert weight[4, 4] == 1
    assert weight[4, 5] == pytest.approx(np.exp(-32 / 81))
    # Corners would count exp(-2 * 0.5 * (4 * 8/9)^2), some 3e-6.
    assert weight[0, 0] == pytest.approx(1e-3)


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
