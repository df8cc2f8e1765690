"""Jobs of tests: each writes its result once a gate is open."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from medseg.executor.job import Job
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def _module_of_tests(monkeypatch):
    """Processes of jobs find the module `tests`; they do not look into the folder they run in."""
    paths = filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
def gate(tmp_path) -> Path:
    """The file that jobs wait for."""
    return tmp_path / "gate"


@pytest.fixture
def work(tmp_path, gate) -> Callable[..., Job]:
    """A job by its name, whose result is `NAME.txt`."""

    def job(name: str, **more) -> Job:
        return gated_job(tmp_path, name, **more)

    return job


def gated_job(folder: Path, name: str, **more) -> Job:
    result = folder / f"{name}.txt"
    return Job(
        **{
            "name": name,
            "module": "tests.executor.work",
            "arguments": (str(result), str(folder / "gate")),
            "log": folder / f"{name}.log",
            "result": result,
            **more,
        }
    )


def begun(job: Job) -> list[int]:
    """The process of each time that a job was begun."""
    path = job.result.with_name(f"{job.result.name}.begun")
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def runs(process: int) -> bool:
    """Whether a process runs; one that has ended and is not yet asked for its code does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
