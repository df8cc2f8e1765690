"""How cases pass the three stages, with stages of numbers."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.prediction.pipeline import Stages, run_pipeline


def failing(bad, stage):
    def step(value):
        if value in bad:
            raise ValueError(f"{stage} {value}")
        return value

    return step


@given(
    count=st.integers(0, 8),
    bad=st.tuples(*[st.sets(st.integers(0, 7))] * 3),
)
def test_every_case_has_one_outcome_and_a_bad_one_stops_none(count, bad):
    read, predict, write = (
        failing(numbers, name)
        for name, numbers in zip(("read", "predict", "write"), bad, strict=True)
    )
    outcomes = list(run_pipeline(range(count), Stages(read=read, predict=predict, write=write)))
    assert sorted(outcome.case for outcome in outcomes) == list(range(count))
    for outcome in outcomes:
        stage = next((i for i, numbers in enumerate(bad) if outcome.case in numbers), None)
        if stage is None:
            assert outcome.error is None
            assert outcome.done == outcome.case
        else:
            name = ("read", "predict", "write")[stage]
            assert (outcome.stage, str(outcome.error)) == (name, f"{name} {outcome.case}")


def test_the_next_case_is_read_and_the_last_one_written_while_one_is_predicted():
    reading, writing = threading.Event(), threading.Event()

    def read(case):
        if case == 2:
            reading.set()
        return case

    def predict(case):
        # Waits for its neighbours: without overlap this would wait in vain.
        if case == 1:
            assert reading.wait(20)
            assert writing.wait(20)
        return case

    def write(case):
        if case == 0:
            writing.set()
        return case

    outcomes = list(run_pipeline(range(3), Stages(read=read, predict=predict, write=write)))
    assert [outcome.done for outcome in outcomes] == [0, 1, 2]
    assert all(outcome.error is None for outcome in outcomes)


def test_no_more_than_one_prepared_case_waits():
    read_so_far = 0
    ahead = []

    def read(case):
        nonlocal read_so_far
        read_so_far += 1
        return case

    def predict(case):
        ahead.append(read_so_far - case)
        return case

    list(run_pipeline(range(9), Stages(read=read, predict=predict, write=lambda case: case)))
    # Itself, and the one after it.
    assert max(ahead) <= 2


def test_who_stops_asking_stops_the_rest():
    written = []
    stages = Stages(read=failing({0}, "read"), predict=lambda case: case, write=written.append)
    for _ in run_pipeline(range(9), stages):
        break
    assert written == []


def test_an_interruption_comes_through():
    def interrupted(case):
        raise KeyboardInterrupt

    stages = Stages(read=lambda case: case, predict=interrupted, write=lambda case: case)
    with pytest.raises(KeyboardInterrupt):
        list(run_pipeline([1, 2], stages))
