"""Jobs as processes of this machine, several at a time."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Lock

from medseg.executor.job import Ended, Job

__all__ = ["run_local"]

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_local(jobs: Iterable[Job], *, parallel: int) -> Iterator[Ended]:
    """Run jobs on this machine, and tell each as it ends.

    Args:
        jobs: In the order in which they are begun.
        parallel: How many run at a time.

    Yields:
        How each ended. Closing the generator ends the jobs that run.
    """
    running: set[subprocess.Popen[bytes]] = set()
    guard = Lock()
    pool = ThreadPoolExecutor(parallel)
    waiting = iter(jobs)
    try:
        futures: set[Future[Ended]] = set()
        while True:
            for job in waiting:
                futures.add(pool.submit(_run, job, running, guard))
                if len(futures) >= parallel:
                    break
            if not futures:
                return
            done, futures = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        with guard:
            for process in running:
                process.terminate()
        pool.shutdown(cancel_futures=True)


def _run(job: Job, running: set[subprocess.Popen[bytes]], guard: Lock) -> Ended:
    job.log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", job.module, *job.arguments]
    environment = {**os.environ, **{name: str(job.cpus) for name in _THREADS}}
    with job.log.open("wb") as log:
        with guard:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
            running.add(process)
        code = process.wait()
        with guard:
            running.discard(process)
    if code == 0:
        return Ended(job=job, code=code)
    lines = job.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return Ended(job=job, code=code if code > 0 else None, reason=lines[-1] if lines else "")
