"""Jobs as processes: none begun twice, none left behind, each end told."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from medseg.errors import MachineError
from medseg.executor.child import lock_of
from medseg.executor.job import Job
from medseg.executor.local import run_local
from tests.executor.conftest import begun, runs, until


def call(tmp_path, name, code, **more):
    """A job that executes a line of Python: `timeit` is a module that does."""
    arguments = ("-n", "1", "-r", "1", code)
    return Job(
        name=name, module="timeit", arguments=arguments, log=tmp_path / f"{name}.log", **more
    )


def test_every_job_is_told_with_its_code_and_the_last_line_of_its_errors(tmp_path):
    jobs = [
        call(tmp_path, "good", "pass"),
        call(tmp_path, "bad", "raise ValueError('no such image')"),
        call(tmp_path, "stopped", "import os; os._exit(75)"),
        Job(name="missing", module="no_such_module", arguments=(), log=tmp_path / "missing.log"),
    ]
    ends = {end.job.name: end for end in run_local(jobs, parallel=2)}
    assert [ends[job.name].code for job in jobs] == [0, 1, 75, 1]
    assert ends["good"].reason == ""
    assert ends["bad"].reason == "ValueError: no such image"
    assert "no_such_module" in ends["missing"].reason
    assert "loop" in (tmp_path / "good.log").read_text()


def test_a_job_that_the_system_killed_is_told_as_such(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.{})"
    jobs = [
        call(tmp_path, "memory", code.format("SIGKILL")),
        call(tmp_path, "fault", code.format("SIGSEGV")),
    ]
    ends = {end.job.name: end for end in run_local(jobs)}
    assert ends["memory"].code is None
    assert "killed by SIGKILL; most likely for lack of memory" in ends["memory"].reason
    assert ends["fault"].reason == "killed by SIGSEGV"


def test_threads_are_the_jobs_cores_and_without_gpus_it_sees_none(tmp_path, work, gate):
    gate.touch()
    job = work("three", cpus=3)
    hidden = call(
        tmp_path, "hidden", "import os; print('GPUs', os.environ['CUDA_VISIBLE_DEVICES'])"
    )
    assert [end.code for end in run_local([job, hidden])] == [0, 0]
    assert "3 threads" in job.log.read_text()
    assert "GPUs \n" in hidden.log.read_text()


def test_a_job_whose_result_is_there_is_not_begun_and_keeps_its_log(work):
    job = work("a")
    job.result.write_text("done before")
    job.log.write_text("its log")
    assert [end.code for end in run_local([job])] == [0]
    assert (begun(job), job.result.read_text()) == ([], "done before")
    assert job.log.read_text() == "its log"


def test_two_executors_do_a_job_once(work, gate):
    job, ends = work("a"), []
    others = [threading.Thread(target=lambda: ends.extend(run_local([job]))) for _ in range(2)]
    for other in others:
        other.start()
    until(lambda: begun(job))
    # Whether the second has come to the lock or comes to it later: it begins nothing.
    gate.touch()
    for other in others:
        other.join()
    assert [end.code for end in ends] == [0, 0]
    assert len(begun(job)) == 1
    assert not lock_of(job.result).exists()


def test_who_closes_the_generator_ends_its_jobs(work, tmp_path):
    blocked = work("blocked")
    ends = run_local([blocked, call(tmp_path, "short", "pass")], parallel=2)
    assert next(ends).job.name == "short"
    until(lambda: begun(blocked))
    ends.close()
    assert not any(map(runs, begun(blocked)))
    assert not blocked.result.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_jobs_end_with_their_executor_however_it_ends(number, work, tmp_path, gate):
    command = [sys.executable, "-m", "tests.executor.drive", "local", str(tmp_path), "a"]
    driver = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    job = work("a")
    until(lambda: begun(job))
    os.kill(driver.pid, number)
    driver.wait()
    until(lambda: not runs(begun(job)[0]))
    gate.touch()
    # Nothing stands in the way of the next.
    assert [end.code for end in run_local([job])] == [0]
    assert len(begun(job)) == 2


def test_a_job_that_finds_no_gpu_here_is_refused_before_any_is_begun(work, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    first, second = work("first"), work("second", gpus=1)
    with pytest.raises(MachineError, match="second: needs 1 of a GPU, and this machine has 0"):
        next(run_local([first, second]))
    assert not begun(first)
