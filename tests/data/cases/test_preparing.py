"""Preparing cases: errors name the case, threads stay within memory and end at an error."""

import threading

import numpy as np
import pytest

from medseg.data.cases import preparing
from medseg.data.cases.preparing import in_threads, prepare_case, threads_for
from medseg.errors import DataError


def test_the_preparation_gets_a_copy_of_the_case():
    def prepare(case):
        case["image"] = np.full((1, 2, 2), case.pop("value"))
        return case

    case = {"case": "a", "value": 3}
    assert prepare_case(prepare, case)["image"].max() == 3
    assert case == {"case": "a", "value": 3}


def test_an_error_says_which_case_it_was():
    def fail(case):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug") as caught:
        prepare_case(fail, {"case": "case_7"})
    assert caught.value.__notes__ == ["while preparing case_7"]


def test_every_index_is_worked_on_once():
    done = []
    in_threads(done.append, range(20))
    assert sorted(done) == list(range(20))


def test_an_error_ends_the_work():
    begun = []
    waiting = threading.Event()

    def work(index):
        begun.append(index)
        if index == 0:
            raise DataError("no")
        waiting.wait(timeout=0.1)

    with pytest.raises(DataError, match="no"):
        in_threads(work, range(1000))
    assert len(begun) < 20


@pytest.mark.parametrize(
    ("free", "threads"), [(None, 4), (32_000_000, 1), (2 * 32_000_000, 2), (10**12, 4), (0, 1)]
)
def test_a_million_voxels_are_prepared_by_as_many_threads_as_memory_allows(
    monkeypatch, free, threads
):
    monkeypatch.setattr(preparing, "available_bytes", lambda: free)
    assert threads_for(1_000_000) == threads
