"""What dealing patients into folds promises."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medseg.data.datasets.folds import deal_folds, shuffled_patients
from medseg.errors import UsageError
from tests.strategies import seeds

patients = st.lists(st.text(max_size=8), min_size=2, max_size=40)
numbers = st.integers(2, 10)


@given(patients=patients, n=numbers, seed=seeds)
def test_folds_differ_by_one_patient_at_most_and_none_is_empty(patients, n, seed):
    assume(len(set(patients)) >= n)
    sizes = Counter(deal_folds(patients, n, seed=seed).values())
    assert set(sizes) == set(range(n))
    assert max(sizes.values()) - min(sizes.values()) <= 1


@given(patients=patients, n=numbers, seed=seeds, data=st.data())
def test_neither_order_nor_repetition_of_patients_matters(patients, n, seed, data):
    assume(len(set(patients)) >= n)
    shuffled = data.draw(st.permutations(patients + patients[:3]))
    assert deal_folds(shuffled, n, seed=seed) == deal_folds(patients, n, seed=seed)


def test_the_assignment_never_changes():
    # First digits of the SHA-256 of "0:a" to "0:f", dealt 0, 1, 2, 0, 1, 2.
    digits = {"a": "9d", "b": "e02", "c": "be", "d": "7d", "e": "e07", "f": "49"}
    assert sorted(digits, key=digits.get) == ["f", "d", "a", "c", "b", "e"]
    assert deal_folds("abcdef", 3) == {"a": 2, "b": 1, "c": 0, "d": 1, "e": 2, "f": 0}


def test_another_seed_gives_another_assignment():
    names = [f"patient_{number}" for number in range(20)]
    assert deal_folds(names, 4, seed=0) != deal_folds(names, 4, seed=1)


def test_shuffling_keeps_every_patient_once():
    assert sorted(shuffled_patients(["b", "a", "b"])) == ["a", "b"]


def test_more_folds_than_patients_are_refused():
    with pytest.raises(UsageError, match="3 folds need 3 patients, got 2; give fewer folds"):
        deal_folds(["a", "b", "a"], 3)


@pytest.mark.parametrize("n", [1, 0, -2])
def test_less_than_two_folds_are_refused(n):
    with pytest.raises(UsageError, match=f"folds must be a whole number from 2, got {n}"):
        deal_folds(["a", "b"], n)
