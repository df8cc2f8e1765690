"""What the bootstrap promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medseg.metrics import draw_cases, interval95
from tests.strategies import seeds


def test_of_a_hundred_and_one_estimates_the_middle_is_kept():
    # 0, 1, ... 100: 2.5 % lie below 2.5, and 2.5 % above 97.5
    assert interval95(np.arange(101)).tolist() == [2.5, 97.5]


@given(cases=st.integers(1, 20), seed=seeds)
def test_as_many_cases_are_drawn_as_there_are_and_the_seed_decides(cases, seed):
    draws = draw_cases(cases, seed=seed, resamples=7)
    assert draws.shape == (7, cases)
    assert (draws.sum(axis=1) == cases).all()
    assert (draws == draw_cases(cases, seed=seed, resamples=7)).all()


def test_scipy_finds_about_the_same_interval():
    values = np.random.default_rng(0).beta(8, 2, 25)
    ours = interval95(draw_cases(25, resamples=20_000) @ values / 25)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours == pytest.approx([theirs.low, theirs.high], abs=0.002)


@pytest.mark.parametrize(("cases", "resamples"), [(0, 5), (3, 0)])
def test_nothing_to_draw_is_refused(cases, resamples):
    with pytest.raises(ValueError, match="must be at least 1"):
        draw_cases(cases, resamples=resamples)
