"""Places on this machine: which job may begin beside those that run, and on which GPU."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from medseg.data.cases.free_memory import available_bytes
from medseg.errors import MachineError
from medseg.executor.job import Job

__all__ = ["Places", "count_cores", "count_gpus", "places_here"]

_NVIDIA = Path("/proc/driver/nvidia/gpus")
# A third of a GPU three times is a whole one.
_ROUNDING = 1e-6


def count_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_gpus() -> int:
    """NVIDIA's GPUs that this process may use."""
    return len(_gpus_here())


@dataclass(kw_only=True, eq=False)
class Places:
    """What jobs that run have left.

    Attributes:
        cpus: Cores; None if jobs are limited in number instead.
        gpus: Free share of each GPU, by its name in `CUDA_VISIBLE_DEVICES`.
        memory_gb: Memory; None if unknown.
    """

    cpus: int | None
    gpus: dict[str, float]
    memory_gb: float | None
    _taken: dict[Job, dict[str, float]] = field(default_factory=dict[Job, dict[str, float]])

    def require(self, job: Job) -> None:
        """Refuse a job that finds no place even alone; more cores than there are do no harm.

        Raises:
            MachineError: For its GPUs or its memory.
        """
        if job.gpus > len(self.gpus):
            raise MachineError(
                f"{job.name}: needs {job.gpus:g} of a GPU, and this machine has {len(self.gpus)}; "
                "run it elsewhere (--on ray), or without"
            )
        if self.memory_gb is not None and (job.memory_gb or 0) > self.memory_gb:
            raise MachineError(
                f"{job.name}: needs {job.memory_gb:g} GB of memory, and {self.memory_gb:.1f} are "
                "available here; run it elsewhere (--on ray)"
            )

    def take(self, job: Job) -> tuple[str, ...] | None:
        """Take a job's place; its GPUs by name, or None if there is no place now."""
        gpus = self._gpus(job.gpus)
        memory = job.memory_gb or 0.0
        too_many = self.cpus is not None and job.cpus > self.cpus and bool(self._taken)
        if gpus is None or too_many or (self.memory_gb is not None and memory > self.memory_gb):
            return None
        self._taken[job] = gpus
        self._give(job, gpus, sign=-1)
        return tuple(gpus)

    def give_back(self, job: Job) -> None:
        """Give back what a job had taken."""
        self._give(job, self._taken.pop(job), sign=1)

    def _give(self, job: Job, gpus: dict[str, float], *, sign: int) -> None:
        if self.cpus is not None:
            self.cpus += sign * job.cpus
        if self.memory_gb is not None:
            self.memory_gb += sign * (job.memory_gb or 0.0)
        for name, share in gpus.items():
            self.gpus[name] += sign * share

    def _gpus(self, wanted: float) -> dict[str, float] | None:
        """A part of one GPU, the fullest on which it finds place, or several whole ones."""
        if not wanted:
            return {}
        share, number = (wanted, 1) if wanted < 1 else (1.0, round(wanted))
        fit = [name for name, free in self.gpus.items() if free >= share - _ROUNDING]
        fit.sort(key=self.gpus.__getitem__)
        return dict.fromkeys(fit[:number], share) if len(fit) >= number else None


def places_here(parallel: int | None) -> Places:
    """This machine's cores, GPUs and memory.

    Args:
        parallel: How many jobs run at a time; None for as many as find cores.
    """
    available = available_bytes()
    return Places(
        cpus=count_cores() if parallel is None else None,
        gpus=dict.fromkeys(_gpus_here(), 1.0),
        memory_gb=None if available is None else available / 1e9,
    )


def _gpus_here() -> list[str]:
    stated = os.environ.get("CUDA_VISIBLE_DEVICES")
    if stated is not None:
        return [name.strip() for name in stated.split(",") if name.strip() not in ("", "-1")]
    return [str(n) for n, _ in enumerate(_NVIDIA.iterdir())] if _NVIDIA.is_dir() else []
