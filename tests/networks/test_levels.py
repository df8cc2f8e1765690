"""What the numbers of the levels promise, without a tensor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.networks.levels import Levels, per_level, rates, widths


def levels(convolution="padded", kernel=3, pools=(2, 2, 2, 2)) -> Levels:
    depth = len(pools) + 1
    return Levels(
        widths=(1,) * depth,
        kernels=((kernel,),) * depth,
        pools=tuple((pool,) for pool in pools),
        dropouts=(0.0,) * depth,
        convolution=convolution,
    )


def test_widths_double_up_to_the_maximum():
    assert widths(5, first_width=64, growth=2, max_width=None) == (64, 128, 256, 512, 1024)
    assert widths(5, first_width=32, growth=2, max_width=320) == (32, 64, 128, 256, 320)
    # 8 * 1.5 = 12, 12 * 1.5 = 18, 18 * 1.5 = 27
    assert widths(4, first_width=8, growth=1.5, max_width=None) == (8, 12, 18, 27)


def test_the_published_sizes_of_2015_by_hand():
    # 572 -4 568 /2 284 -4 280 /2 140 -4 136 /2 68 -4 64 /2 32 -4 28 (Fig. 1), and back:
    # 56 -4 52, 104 -4 100, 200 -4 196, 392 -4 388
    assert levels("valid").bottleneck_size((572,)) == (28,)
    assert levels("valid").output_size((572,)) == (388,)


@given(size=st.integers(1, 400), pools=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_padded_levels_fit_the_multiples_of_their_pools_and_no_other(size, pools):
    plan = levels(pools=pools)
    if size % plan.multiple[0] == 0:
        assert plan.output_size((size,)) == (size,)
        assert plan.bottleneck_size((size,)) == (size // plan.multiple[0],)
    else:
        with pytest.raises(ValueError, match="must be a multiple of"):
            plan.output_size((size,))


@given(size=st.integers(188, 400))
def test_sizes_that_fit_valid_levels_repeat_with_the_product_of_the_pools(size):
    plan = levels("valid")
    if size % 16 == 572 % 16:
        assert plan.output_size((size,)) == (size - (572 - 388),)
    else:
        with pytest.raises(ValueError, match="the next size that fits"):
            plan.output_size((size,))


def test_entries_are_expanded_per_axis():
    spelt = per_level("pool_sizes", [2, [1, 2, 2]], 3, count=2, axes=3)
    assert spelt == ((2, 2, 2), (1, 2, 2))
    assert per_level("pool_sizes", None, 3, count=2, axes=2) == ((3, 3), (3, 3))


def test_rates_are_expanded_per_level():
    assert rates(0, depth=3) == (0.0, 0.0, 0.0)
    assert rates([0, 0.1, 0.5], depth=3) == (0, 0.1, 0.5)
