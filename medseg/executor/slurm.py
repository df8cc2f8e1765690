"""Jobs of a Slurm cluster, through submitit: each a batch job of its own.

Partition, account and time limit are Slurm's own variables: `SBATCH_PARTITION`, `SBATCH_ACCOUNT`,
`SBATCH_TIMELIMIT`. A driver that is killed leaves its jobs; one that comes back submits what has no
result yet, and that waits for whoever is at it.
"""

import time
from collections import deque
from collections.abc import Generator, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from medseg.errors import MachineError
from medseg.executor.job import Ended, Job
from medseg.executor.process import run_to_end

__all__ = ["run_on_slurm"]

_MINUTES = 24 * 60
_POLL_SECONDS = 1.0


def run_on_slurm(
    jobs: Iterable[Job],
    *,
    folder: Path,
    parallel: int | None,
    cluster: Literal["slurm", "local"] = "slurm",
) -> Generator[Ended]:
    """Submit jobs, and tell each as it ends; closing the generator cancels those that are left.

    Args:
        jobs: In the order in which they are submitted.
        folder: Where their results lie, on a disk that all nodes share.
        parallel: How many are submitted at a time; by default all, as Slurm has its own queue.
        cluster: `local` runs them as submitit's processes of this machine.

    Raises:
        MachineError: If submitit is missing, or Slurm.
    """
    waiting = deque(jobs)
    executor = _executor(folder, cluster)
    submitted: dict[Job, Any] = {}
    try:
        while waiting or submitted:
            while waiting and (parallel is None or len(submitted) < parallel):
                job = waiting.popleft()
                hidden = {} if job.gpus else {"CUDA_VISIBLE_DEVICES": ""}
                executor.update_parameters(**_resources(job))
                submitted[job] = executor.submit(run_to_end, job, Path.cwd(), hidden)
            over = [job for job, batch in submitted.items() if batch.done()]
            for job in over:
                yield _end(job, submitted.pop(job))
            if not over:
                time.sleep(_POLL_SECONDS)
    finally:
        for batch in submitted.values():
            batch.cancel()


def _executor(folder: Path, cluster: str) -> Any:
    try:
        submitit: Any = import_module("submitit")
    except ImportError as error:
        raise MachineError("submitit is not installed: pip install 'medseg[slurm]'") from error
    try:
        return submitit.AutoExecutor(folder / ".medseg-slurm", cluster=cluster)
    except RuntimeError as error:
        raise MachineError(f"no Slurm here ({error}); call it on a login node") from error


def _resources(job: Job) -> dict[str, Any]:
    memory = {} if job.memory_gb is None else {"mem_gb": job.memory_gb}
    gpus = {"gpus_per_node": round(job.gpus)} if job.gpus else {}
    return {"name": "medseg", "timeout_min": _MINUTES, "cpus_per_task": job.cpus, **memory, **gpus}


def _end(job: Job, batch: Any) -> Ended:
    try:
        return batch.result()
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return Ended(job=job, code=None, reason=f"Slurm's job {batch.job_id}: {lines[-1]}")
