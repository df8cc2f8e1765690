"""Agreement of volumes, held to the worked example of its paper."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.studies.baselines.agreement import agreement, icc_2_1

# Shrout and Fleiss 1979, table 2: four judges, six targets.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def test_the_papers_example_is_0_29():
    assert icc_2_1(JUDGES) == pytest.approx(0.29, abs=0.005)


def test_it_falls_with_a_bias_where_a_correlation_would_not():
    reference = np.array([10.0, 20, 30, 40])
    assert icc_2_1(np.stack([reference, reference], axis=1)) == pytest.approx(1)
    shifted = icc_2_1(np.stack([reference + 15, reference], axis=1))
    # Variance between cases 166.7, of the shift 15 ** 2 / 2 = 112.5: 166.7 / 279.2.
    assert shifted == pytest.approx(166.67 / 279.17, abs=1e-4)


def test_equal_ratings_agree_by_nothing():
    assert icc_2_1(np.ones((4, 2))) == 0.0


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 100), shift=st.floats(-100, 100))
def test_the_unit_does_not_matter(seed, scale, shift):
    ratings = np.random.default_rng(seed).normal(0, 1, (6, 2))
    assert icc_2_1(ratings * scale + shift) == pytest.approx(icc_2_1(ratings), abs=1e-6)


def test_bias_is_the_mean_difference_and_its_spread():
    found = agreement(np.array([12.0, 22, 36]), np.array([10.0, 20, 30]))
    assert found is not None
    # Differences 2, 2, 6: mean 10 / 3, deviation sqrt((2 * 1.78 + 7.11) / 2).
    assert (found.cases, found.bias) == (3, pytest.approx(10 / 3))
    assert found.bias_sd == pytest.approx(2.3094, abs=1e-4)
    assert found.icc_ci95[0] <= found.icc <= found.icc_ci95[1] <= 1


def test_two_cases_have_no_agreement():
    assert agreement(np.array([1.0, 2]), np.array([1.0, 2])) is None
