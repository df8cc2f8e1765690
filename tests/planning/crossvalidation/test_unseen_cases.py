"""How far the folds' labels agree, with no reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medseg.planning.crossvalidation.unseen_cases import agreement

NAMES = ["background", "lung", "tumour"]


def test_three_labels_by_hand():
    # Lung: {0, 1}, {0, 1}, {0}: DSC 1, 2/3, 2/3. No tumour in the first two: 1, 0, 0.
    labels = [np.array([1, 1, 0]), np.array([1, 1, 0]), np.array([1, 2, 0])]
    found = agreement(labels, NAMES)
    assert found["lung"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    assert found["tumour"] == pytest.approx(1 / 3)


@given(one=arrays(np.uint8, 12, elements=st.integers(0, 2)), count=st.integers(2, 4))
def test_equal_labels_agree_wholly(one, count):
    assert agreement([one] * count, NAMES) == {"lung": 1.0, "tumour": 1.0}
