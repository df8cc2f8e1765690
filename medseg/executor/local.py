"""Jobs as processes of this machine, several at a time."""

import time
from collections import deque
from collections.abc import Generator, Iterable

from medseg.executor.job import Ended, Job
from medseg.executor.places import places_here
from medseg.executor.process import POLL_SECONDS, Process, begin, end_all, ended

__all__ = ["run_local"]


def run_local(jobs: Iterable[Job], *, parallel: int | None = None) -> Generator[Ended]:
    """Run jobs on this machine, and tell each as it ends.

    Args:
        jobs: In the order in which they are begun.
        parallel: How many run at a time; by default as many as find cores.

    Yields:
        How each ended. Closing the generator ends the jobs that run, as Ctrl-C does; they end with
        this process if it is killed.

    Raises:
        MachineError: If a job needs a GPU or memory that this machine lacks; before any is begun.
    """
    waiting = deque(jobs)
    places = places_here(parallel)
    for job in waiting:
        places.require(job)
    running: dict[Job, Process] = {}
    try:
        while waiting or running:
            while waiting and (parallel is None or len(running) < parallel):
                gpus = places.take(waiting[0])
                if gpus is None:
                    break
                job = waiting.popleft()
                running[job] = begin(job, {"CUDA_VISIBLE_DEVICES": ",".join(gpus)})
            over = [end for job, process in running.items() if (end := ended(job, process))]
            for end in over:
                del running[end.job]
                places.give_back(end.job)
            yield from over
            if not over:
                time.sleep(POLL_SECONDS)
    finally:
        end_all(running.values())
