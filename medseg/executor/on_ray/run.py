"""Jobs on a Ray cluster: tasks that a foreman hands out, told to the driver as they end."""

import hashlib
import logging
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from medseg.errors import MachineError
from medseg.executor.job import Ended, Job
from medseg.executor.on_ray.connect import connected
from medseg.executor.on_ray.foreman import Foreman, News
from medseg.executor.on_ray.nodes import check_nodes
from medseg.executor.process import GRACE_SECONDS

__all__ = ["run_on_ray", "travelling"]

logger = logging.getLogger(__name__)

_MOST_LOSSES = 3


def run_on_ray(
    jobs: Iterable[Job], *, folder: Path, parallel: int | None, address: str | None
) -> Generator[Ended]:
    """Run jobs on a Ray cluster, and tell each as it ends.

    A driver that is killed leaves them running; one that comes back with the same folder goes on
    with them. Closing the generator ends them.

    Args:
        jobs: In the order in which they are begun; each different from the others.
        folder: Of this call alone, seen by all nodes under this path.
        parallel: How many run at a time; by default as many as the cluster has place for.
        address: As for `connected`.

    Raises:
        MachineError: If there is no cluster, or one of its nodes cannot run the jobs.
    """
    left = dict.fromkeys(jobs)
    folder = folder.absolute()
    with connected(address, (parallel or 1) * max((job.cpus for job in left), default=1)) as ray:
        check_nodes(ray, list(left), _folders(folder, left))
        losses = 0
        while left:
            foreman = _foreman(ray, folder, parallel)
            try:
                ray.get(foreman.add.remote(list(left)))
                yield from _ends(ray, foreman, left)
            except ray.exceptions.RayActorError as error:
                losses += 1
                if losses == _MOST_LOSSES:
                    raise MachineError(
                        "the head of the Ray cluster fails; see `ray status`"
                    ) from error
                logger.warning("what hands out the jobs was lost, and is begun again")
            except BaseException:
                _stop(ray, foreman)
                raise
            else:
                ray.kill(foreman)


def _folders(folder: Path, jobs: Iterable[Job]) -> list[Path]:
    """Folders that every node has to see: of the call, the one that jobs run in, and their own."""
    own = {job.log.parent for job in jobs}
    return [folder, Path.cwd(), *sorted(path for path in own if path.is_dir())]


def _ends(ray: Any, foreman: Any, left: dict[Job, None]) -> Iterator[Ended]:
    seen = 0
    while left:
        news: Sequence[News] = ray.get(foreman.news.remote(seen))
        seen += len(news)
        for one in news:
            if isinstance(one, str):
                logger.warning("%s", one)
            elif one.job in left:
                del left[one.job]
                yield one


def _foreman(ray: Any, folder: Path, parallel: int | None) -> Any:
    """The foreman of a folder's jobs, who may be at work already."""
    name = f"medseg {hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    options = {
        "name": name,
        "lifetime": "detached",
        "get_if_exists": True,
        "num_cpus": 0,
        # On the head, whose loss ends the cluster anyway.
        "resources": {"node:__internal_head__": 0.001},
    }
    return (
        ray.remote(Foreman).options(**options).remote(parallel, Path.cwd(), travelling(os.environ))
    )


def travelling(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables of the driver that its jobs have on every node: settings of medseg, no secrets."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("MEDSEG_") or name == "PYTHONPATH"
    }


def _stop(ray: Any, foreman: Any) -> None:
    with suppress(Exception):
        ray.get(foreman.stop.remote(), timeout=GRACE_SECONDS + 5)
    with suppress(Exception):
        ray.kill(foreman)
