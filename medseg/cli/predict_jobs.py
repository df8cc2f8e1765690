"""`medseg predict --on`: the same prediction by several processes, which share its cases."""

import logging
import shutil
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from medseg.errors import ExitCode, MedsegError, UsageError, error_of_code
from medseg.executor.job import Ended, Job
from medseg.executor.places import count_cores, count_gpus
from medseg.executor.run import Place, run_jobs

__all__ = ["Spread", "predict_by_jobs"]

logger = logging.getLogger(__name__)

# Of the output folder: hidden, so that no search for images looks there.
_LOGS = ".medseg-jobs"
# What failed is told by this process, which looks at all cases again.
_SOUND = (ExitCode.DONE, ExitCode.SOME_CASES_FAILED, ExitCode.DATA)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Where a prediction runs.

    Attributes:
        on: The place.
        parallel: Processes.
        address: Of a Ray cluster.
        cpus: Cores of each; None for an equal part of this machine's, or one elsewhere.
        gpus: GPUs of each; None for an equal part of this machine's, or none elsewhere.
    """

    on: Place
    parallel: int = 2
    address: str | None = None
    cpus: int | None = None
    gpus: float | None = None

    def __post_init__(self) -> None:
        if self.address is not None and self.on != "ray":
            raise UsageError("--address is that of a Ray cluster; add --on ray")


def predict_by_jobs(spread: Spread, words: Sequence[str], output: Path) -> None:
    """Run a prediction as several jobs, until all have ended.

    Args:
        spread: Where.
        words: Of its command line.
        output: Its output folder, where a job that was killed leaves its log.

    Raises:
        MedsegError: If no job could do anything; that of the first.
    """
    folder = output.absolute()
    jobs = [_job(spread, words, folder / _LOGS, turn) for turn in range(1, spread.parallel + 1)]
    ends = run_jobs(
        jobs, folder=folder, on=spread.on, parallel=spread.parallel, address=spread.address
    )
    is_new = not folder.exists()
    try:
        with closing(ends):
            failed = [end for end in ends if end.code not in _SOUND]
        if all(end.code is not None for end in failed):
            shutil.rmtree(folder / _LOGS, ignore_errors=True)
    finally:
        if is_new:
            with suppress(OSError):  # unless there is something in it
                folder.rmdir()
    if len(failed) == len(jobs):
        raise _error(failed[0])
    for end in failed:
        logger.warning("%s: %s; its cases are done by the others", end.job.name, end.reason)


def _job(spread: Spread, words: Sequence[str], logs: Path, turn: int) -> Job:
    here, n = spread.on == "local", spread.parallel
    cpus = spread.cpus or (max(1, count_cores() // n) if here else 1)
    gpus = spread.gpus if spread.gpus is not None else (_part(count_gpus(), n) if here else 0.0)
    return Job(
        name=f"process {turn} of {n}",
        module="medseg",
        arguments=(words[0], f"--turn={turn}/{n}", *words[1:]),
        log=logs / f"{turn}_of_{n}.log",
        cpus=cpus,
        gpus=gpus,
    )


def _part(gpus: int, processes: int) -> float:
    return float(gpus // processes) if gpus >= processes else gpus / processes


def _error(end: Ended) -> MedsegError:
    log = f" (its log: {end.job.log})" if end.code is None else ""
    return error_of_code(end.code)(f"{end.reason.removeprefix('medseg: ')}{log}")
