"""Foreman: an actor on the cluster's head that hands out jobs, so that their driver may die.

It keeps what has happened as a list of news. A driver reads them from any place on, and one that
comes back from the first. A job whose node or worker is lost is begun again on another.
"""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from medseg.executor.job import Ended, Job
from medseg.executor.on_ray.nodes import resources_of
from medseg.executor.process import run_to_end

__all__ = ["Foreman", "News"]

News = Ended | str

_MOST_LOSSES = 3
_PATIENCE_SECONDS = 2.0
# Without a driver for so long, and with nothing to do, it ends.
_IDLE_SECONDS = 600.0


class Foreman:
    """Actor that hands out jobs.

    Args:
        parallel: How many jobs run at a time; None for as many as the cluster has place for.
        folder: Folder in which they run.
        environment: Variables of their processes.
    """

    def __init__(self, parallel: int | None, folder: Path, environment: Mapping[str, str]) -> None:
        import ray

        self._ray: Any = ray
        self._arguments = (folder, dict(environment))
        self._turn = asyncio.Semaphore(parallel or 10**9)
        self._jobs: dict[Job, asyncio.Task[None]] = {}
        self._running: set[Any] = set()
        self._news: list[News] = []
        self._changed = asyncio.Event()
        self._asked = time.monotonic()
        self._retiring: asyncio.Task[None] | None = None

    async def add(self, jobs: Sequence[Job]) -> None:
        """Take on jobs; those that it has already are left as they are."""
        for job in jobs:
            if job not in self._jobs:
                self._jobs[job] = asyncio.create_task(self._do(job))
        self._retiring = self._retiring or asyncio.create_task(self._retire())

    async def news(self, after: int) -> list[News]:
        """What has happened since the news of this number; waits for some, but not for long."""
        self._asked = time.monotonic()
        if len(self._news) <= after:
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _PATIENCE_SECONDS)
        return self._news[after:]

    async def stop(self) -> None:
        """End all jobs."""
        for task in self._jobs.values():
            task.cancel()
        running = list(self._running)
        for one in running:
            self._ray.cancel(one)
        await asyncio.gather(*running, return_exceptions=True)

    def _tell(self, news: News) -> None:
        self._news.append(news)
        self._changed.set()

    async def _do(self, job: Job) -> None:
        async with self._turn:
            for loss in range(1, _MOST_LOSSES + 1):
                end = await self._attempt(job)
                if end is not None:
                    break
                if loss < _MOST_LOSSES:
                    self._tell(f"{job.name}: its node or worker was lost; begun again")
            else:
                reason = f"its node or worker was lost {_MOST_LOSSES} times"
                end = Ended(job=job, code=None, reason=reason)
        self._tell(end)

    async def _attempt(self, job: Job) -> Ended | None:
        """How a job ended; None if it was lost."""
        errors = self._ray.exceptions
        task = self._ray.remote(max_retries=0, scheduling_strategy="SPREAD")(_run)
        running = task.options(**resources_of(job)).remote(job, *self._arguments)
        self._running.add(running)
        try:
            return await running
        except errors.RayTaskError as error:
            reason = str(error).strip().splitlines()[-1]
            return Ended(job=job, code=None, reason=reason)
        except errors.RayError:
            return None
        finally:
            self._running.discard(running)

    async def _retire(self) -> None:
        while not (
            all(task.done() for task in self._jobs.values())
            and time.monotonic() > self._asked + _IDLE_SECONDS
        ):
            await asyncio.sleep(_IDLE_SECONDS / 10)
        os._exit(0)


def _run(job: Job, folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a job on the node on which this task runs."""
    raylet = os.getppid()
    end = run_to_end(job, folder, environment)
    # A worker whose raylet is gone kills its children before it ends itself.
    if end.code is None and os.getppid() != raylet:
        os._exit(1)
    return end
