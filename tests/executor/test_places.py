"""Places for jobs: no core, GPU or memory is given twice."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import MachineError
from medseg.executor.job import Job
from medseg.executor.places import Places, places_here


def job(name, **needs):
    return Job(name=name, module="m", arguments=(), log=Path(name), **needs)


def test_jobs_of_several_cores_by_hand():
    places = Places(cpus=4, gpus={}, memory_gb=None)
    assert places.take(job("a", cpus=3)) == ()
    # One core is left: two do not fit, one does.
    assert places.take(job("b", cpus=2)) is None
    assert places.take(job("c", cpus=1)) == ()
    places.give_back(job("a", cpus=3))
    assert places.take(job("b", cpus=2)) == ()


def test_a_job_of_more_cores_than_there_are_runs_alone():
    places = Places(cpus=2, gpus={}, memory_gb=None)
    assert places.take(job("large", cpus=8)) == ()
    assert places.take(job("small")) is None


def test_halves_share_a_gpu_and_whole_ones_do_not():
    places = Places(cpus=None, gpus={"0": 1.0, "1": 1.0}, memory_gb=None)
    assert places.take(job("a", gpus=0.5)) == ("0",)
    assert places.take(job("b", gpus=0.5)) == ("0",)
    assert places.take(job("c", gpus=2)) is None
    assert places.take(job("d", gpus=1)) == ("1",)
    assert places.take(job("e", gpus=0.5)) is None
    places.give_back(job("a", gpus=0.5))
    assert places.take(job("e", gpus=0.5)) == ("0",)


def test_memory_is_not_given_twice_and_more_than_there_is_is_refused():
    places = Places(cpus=None, gpus={}, memory_gb=10)
    assert places.take(job("a", memory_gb=6)) == ()
    assert places.take(job("b", memory_gb=6)) is None
    with pytest.raises(MachineError, match=r"c: needs 11 GB of memory, and 10\.0 are available"):
        Places(cpus=None, gpus={}, memory_gb=10).require(job("c", memory_gb=11))


def test_gpus_are_those_that_the_environment_shows(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5f")
    assert places_here(2).gpus == {"3": 1.0, "GPU-5f": 1.0}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert places_here(2).gpus == {}


needs = st.fixed_dictionaries(
    {"cpus": st.integers(1, 5), "gpus": st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])}
)


@given(st.lists(needs, min_size=1, max_size=8), st.data())
def test_nothing_is_given_twice_and_all_comes_back(wanted, data):
    places = Places(cpus=4, gpus={"0": 1.0, "1": 1.0}, memory_gb=None)
    running = []
    for number, one in enumerate(wanted):
        asked = job(str(number), **one)
        if places.take(asked) is not None:
            running.append(asked)
        assert places.cpus >= 0 or len(running) == 1
        assert all(share >= -1e-9 for share in places.gpus.values())
        if running and data.draw(st.booleans()):
            places.give_back(running.pop(data.draw(st.integers(0, len(running) - 1))))
    for asked in running:
        places.give_back(asked)
    assert (places.cpus, places.gpus) == (4, {"0": 1.0, "1": 1.0})
