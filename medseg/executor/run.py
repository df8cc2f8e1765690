"""Jobs run on this machine or on several."""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Literal

from medseg.executor.job import Ended, Job

__all__ = ["Place", "run_jobs"]

Place = Literal["local", "ray", "slurm"]


def run_jobs(
    jobs: Iterable[Job],
    *,
    folder: Path,
    on: Place = "local",
    parallel: int | None = None,
    address: str | None = None,
) -> Generator[Ended]:
    """Run jobs, and tell each as it ends; closing the generator ends those that run.

    Args:
        jobs: In the order in which they are begun; each different from the others.
        folder: Of this call alone, such as a study's, seen by all machines under this path. A
            call that comes back to it finds on Ray the jobs that go on.
        on: `local`: processes of this machine; `ray`: of a Ray cluster; `slurm`: of Slurm.
        parallel: How many run at a time; by default as many as find cores.
        address: Of the Ray cluster, such as `10.0.0.1:6379`; by default a Ray of this machine
            alone is started.

    Raises:
        MachineError: If the place is missing, or lacks what a job needs.
    """
    if on == "ray":
        from medseg.executor.on_ray.run import run_on_ray

        return run_on_ray(jobs, folder=folder, parallel=parallel, address=address)
    if on == "slurm":
        from medseg.executor.slurm import run_on_slurm

        return run_on_slurm(jobs, folder=folder, parallel=parallel)
    from medseg.executor.local import run_local

    return run_local(jobs, parallel=parallel)
