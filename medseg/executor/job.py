"""Job: one module of medseg run as a process of its own, and how it ended."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ended", "Job"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is run: `python -m MODULE ARGUMENTS`, with its output in a log.

    A job writes its result into files, each under its final name at once, so that one that was
    killed can be run again. The same job gives the same files wherever it runs.

    Attributes:
        name: For messages, such as `loss=jaccard, seed 2`.
        module: Module of medseg that is run.
        arguments: Its arguments; paths that are not absolute are from the folder in which the
            executor was called.
        log: Where its standard output and errors go; replaced if it exists.
        result: The file that it writes last: a job whose result is there is not begun, and no two
            processes are at one result at a time, on several machines too. None for jobs that
            share their work in a way of their own.
        cpus: Threads that it uses, on cores that no other job of the executor uses.
        gpus: GPUs that it uses; a part of one if it shares it; 0: it sees none.
        memory_gb: Memory that it needs; None if nobody knows.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    log: Path
    result: Path | None = None
    cpus: int = 1
    gpus: float = 0.0
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        # The process that reads them need not run in the folder of the one that made the job.
        object.__setattr__(self, "log", self.log.absolute())
        if self.result is not None:
            object.__setattr__(self, "result", self.result.absolute())


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a job ended.

    Attributes:
        job: The job.
        code: Exit code of its process; None if its machine was lost, or it was killed.
        reason: Last line of its errors; empty if it ended well.
    """

    job: Job
    code: int | None
    reason: str = ""
