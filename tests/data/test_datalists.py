"""The datalist of a split: fewer cases, spaced or drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data import datalist
from medseg.errors import UsageError
from tests.data.builders import a_case, a_manifest


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    """A folder of ten empty images, and their manifest."""
    folder = tmp_path_factory.mktemp("ten")
    cases = [a_case(f"case{number}", label=None) for number in range(10)]
    for case in cases:
        (folder / case.image).parent.mkdir(exist_ok=True)
        (folder / case.image).touch()
    return folder, a_manifest(cases)


def names(ten, **choices):
    folder, manifest = ten
    return [
        case["case"] for case in datalist(manifest, folder, split="training", fold=1, **choices)
    ]


def test_fewer_cases_are_spaced_evenly(ten):
    assert names(ten, most=3) == ["case0", "case3", "case6"]


@given(seed=st.integers(0, 2**32 - 1), few=st.integers(1, 9), more=st.integers(1, 12))
def test_drawn_cases_are_among_more_drawn_by_the_same_seed(ten, seed, few, more):
    drawn = names(ten, most=few, drawn_by=seed)
    assert len(drawn) == few
    assert drawn == sorted(drawn)
    assert drawn == names(ten, most=few, drawn_by=seed)
    assert set(drawn) <= set(names(ten, most=few + more, drawn_by=seed))


def test_another_seed_draws_others(ten):
    assert len({tuple(names(ten, most=4, drawn_by=seed)) for seed in range(20)}) > 10


def test_a_seed_alone_leaves_none_out(ten):
    assert names(ten, drawn_by=3) == names(ten)


@pytest.mark.parametrize("most", [0, 2.5, "all"])
def test_a_number_that_is_none_is_refused(ten, most):
    with pytest.raises(UsageError, match="most"):
        names(ten, most=most)
