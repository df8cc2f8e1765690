"""Process of a job from outside: begun, asked whether it ended, and ended before its time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from medseg.executor.child import GRACE_SECONDS
from medseg.executor.job import Ended, Job

__all__ = ["POLL_SECONDS", "begin", "end_all", "ended", "run_to_end"]

POLL_SECONDS = 0.05

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LONGEST_LINE = 500
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

Process = subprocess.Popen[bytes]


def begin(job: Job, environment: Mapping[str, str], folder: Path | None = None) -> Process:
    """Begin a job's process, which ends with this one.

    Args:
        job: The job.
        environment: Variables beside this process's own; threads are set by the job's `cpus`.
        folder: Folder in which it runs; None for this process's.
    """
    result = "" if job.result is None else str(job.result)
    # UTF-8 for the log; -P: no module is taken from the folder in which it runs.
    python = (sys.executable, "-P", "-X", "utf8", "-m", "medseg.executor.child")
    return subprocess.Popen(
        (*python, str(job.log), result, job.module, *job.arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **{name: str(job.cpus) for name in _THREADS}, **environment},
        cwd=folder,
        # Ctrl-C is for the executor, which ends its jobs itself.
        start_new_session=True,
    )


def run_to_end(job: Job, folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a job, and wait for its end; an error or interruption here ends it."""
    process = begin(job, environment, folder)
    try:
        while True:
            end = ended(job, process)
            if end is not None:
                return end
            time.sleep(POLL_SECONDS)
    finally:
        end_all([process])


def ended(job: Job, process: Process) -> Ended | None:
    """How a job's process ended; None while it runs."""
    code = process.poll()
    if code is None:
        return None
    _signal(process, _KILL)  # what it has left behind
    before_its_log = process.stderr.read() if process.stderr else b""
    _close(process)
    if code == 0:
        return Ended(job=job, code=0)
    if code < 0:
        return Ended(job=job, code=None, reason=_killed(-code))
    return Ended(job=job, code=code, reason=_last_line(before_its_log) or _last_line(_text(job)))


def end_all(processes: Iterable[Process]) -> None:
    """End processes and those that they have begun: asked first, killed if they do not heed."""
    processes = list(processes)
    for process in processes:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        _signal(process, _KILL)
        process.wait()
        _close(process)


def _signal(process: Process, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "killpg"):
            process.terminate()
        elif number == signal.SIGTERM:
            # To the process alone, which ends its own helpers in its way.
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)


def _close(process: Process) -> None:
    for stream in (process.stdin, process.stderr):
        if stream is not None:
            stream.close()


def _killed(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    memory = "; most likely for lack of memory: run fewer at a time, or on a larger machine"
    return f"killed by {name}{memory if name == 'SIGKILL' else ''}"


def _text(job: Job) -> bytes:
    try:
        return job.log.read_bytes()
    except OSError:
        return b""


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1][:_LONGEST_LINE] if lines else ""
