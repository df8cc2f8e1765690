"""Jobs on a real Ray: several raylets on this machine, lost nodes, drivers that come back."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from medseg.errors import MachineError
from medseg.executor.local import run_local
from medseg.executor.on_ray import nodes
from medseg.executor.run import run_jobs
from tests.conftest import REPOSITORY
from tests.executor.conftest import begun, gated_job, runs, until

pytest.importorskip("ray", reason="Ray is not installed: pip install 'medseg[cluster]'")
# ray.init within this process leaves sockets to be collected.
pytestmark = [pytest.mark.ray, pytest.mark.slow]
# Each says its name and code at its end.
JOBS = ("a", "b", "c", "d")


class Cluster:
    """A cluster in a process of its own, which `kill` takes a node from."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.address = process.stdout.readline().strip()

    def kill(self, node: int) -> None:
        self.process.stdin.write(f"{node}\n")
        self.process.stdin.flush()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    command = [sys.executable, "-m", "tests.executor.nodes", "2"]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Cluster(process)
        process.stdin.close()


def drive(folder: Path, *address: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.executor.drive", "ray", str(folder), ",".join(JOBS)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, *address], cwd=REPOSITORY, **pipes)


def test_a_lost_node_costs_its_job_alone_and_a_driver_that_was_killed_comes_back(cluster, tmp_path):
    jobs = [gated_job(tmp_path, name) for name in JOBS]
    driver = drive(tmp_path, cluster.address)
    # Two nodes of one core: two jobs run.
    until(lambda: sum(len(begun(job)) for job in jobs) == 2)
    driver.kill()
    driver.communicate()
    first = [job for job in jobs if begun(job)]
    assert all(runs(*begun(job)) for job in first)

    cluster.kill(0)
    until(lambda: sum(runs(begun(job)[0]) for job in first) == 1)
    driver = drive(tmp_path, cluster.address)
    (tmp_path / "gate").touch()
    told, errors = driver.communicate(timeout=60)

    assert sorted(told.split("\n")) == ["", *(f"{name} 0 " for name in JOBS)]
    # The job of the lost node ran again, and no other.
    assert sorted(len(begun(job)) for job in jobs) == [1, 1, 1, 2]
    (again,) = [job for job in jobs if len(begun(job)) == 2]
    assert f"{again.name}: its node or worker was lost; begun again" in errors
    assert "1 threads" in again.log.read_text()

    here = tmp_path / "here"
    here.mkdir()
    (here / "gate").touch()
    local = [gated_job(here, name) for name in JOBS]
    assert [end.code for end in run_local(local)] == [0] * len(JOBS)
    assert [a.result.read_bytes() for a in jobs] == [b.result.read_bytes() for b in local]


def test_ctrl_c_ends_the_jobs_and_the_ray_that_was_started_here(tmp_path):
    driver = drive(tmp_path)
    jobs = [gated_job(tmp_path, name) for name in JOBS]
    until(lambda: any(map(begun, jobs)))
    driver.send_signal(2)
    driver.communicate(timeout=60)
    assert not any(runs(process) for job in jobs for process in begun(job))
    assert not any(job.result.exists() for job in jobs)


def test_a_cluster_that_is_not_there_is_told_at_once(tmp_path):
    started = time.monotonic()
    with pytest.raises(MachineError, match=r"--address 127\.0\.0\.1:1: nobody answers .*10001"):
        next(run_jobs([gated_job(tmp_path, "a")], on="ray", folder=tmp_path, address="127.0.0.1:1"))
    # Ray itself takes two minutes.
    assert time.monotonic() - started < 60


def test_a_node_says_what_keeps_it_from_running_jobs(tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    same = nodes.versions()
    assert nodes.problem([tmp_path], mark, same) == ""
    elsewhere = nodes.problem([tmp_path, tmp_path / "home"], mark, same)
    assert elsewhere.startswith(f"does not see {tmp_path / 'home'}; it has to lie on a disk")
    assert "does not see" in nodes.problem([tmp_path], tmp_path / "of another disk", same)
    other = nodes.problem([tmp_path], mark, {**same, "torch": "1.0"})
    assert other.startswith(f"has torch {same['torch']} and this machine 1.0")


def test_a_job_that_no_node_has_place_for_is_refused(tmp_path):
    has = [{"CPU": 4.0, "memory": 8e9}, {"CPU": 2.0, "GPU": 1.0, "memory": 8e9}]
    nodes.require_place(gated_job(tmp_path, "a", cpus=2, gpus=1), has)
    with pytest.raises(MachineError, match="a: needs 4 cores, 1 GPUs and 2 GB of memory, which no"):
        nodes.require_place(gated_job(tmp_path, "a", cpus=4, gpus=1, memory_gb=2), has)


def test_a_users_settings_travel_and_other_variables_do_not(monkeypatch):
    from medseg.executor.on_ray.run import travelling

    monkeypatch.setenv("MEDSEG_HOME", "/home/of/medseg")
    monkeypatch.setenv("SECRET", "not for others")
    found = travelling(os.environ)
    assert found["MEDSEG_HOME"] == "/home/of/medseg"
    assert "SECRET" not in found
