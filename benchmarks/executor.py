"""Executor: jobs as plain processes of this machine and on Ray, two at a time, in turns.

    python -m benchmarks.executor [--jobs 6] [--steps 150] [--rounds 3]

A job is a process of its own that imports torch and trains some steps on one thread. Told are the
seconds from the first job's begin to the last one's end, without the start of Ray, and the whole
call with it; the processor's seconds of the work itself say whether the jobs met the same machine.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Literal

from benchmarks._timing import cpu_model, versions
from medseg.executor.job import Job
from medseg.executor.run import run_jobs

ROOT = Path(__file__).parents[1]
COLUMNS = ("jobs", "whole call", "processor")


def main() -> None:
    """Measure both in turns and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    # Jobs are not begun in this folder's sight.
    os.environ["PYTHONPATH"] = str(ROOT)
    places: tuple[Literal["local", "ray"], ...] = ("local", "ray")
    taken: dict[str, list[dict[str, float]]] = {place: [] for place in places}
    for _ in range(options.rounds):
        for place in places:
            taken[place].append(_seconds(place, options.jobs, options.steps))
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{cpu_model()}, load {load}, {versions(['ray', 'torch'])}")
    print(f"{options.jobs} jobs, two at a time; seconds, medians of {options.rounds}\n")
    print(f"| on | {' | '.join(COLUMNS)} |\n|{'---|' * (1 + len(COLUMNS))}")
    for place in places:
        medians = (statistics.median(one[name] for one in taken[place]) for name in COLUMNS)
        print(f"| {place} | {' | '.join(f'{value:.1f}' for value in medians)} |")
    for place in places:
        each = ", ".join(f"{one['jobs']:.1f}" for one in taken[place])
        print(f"\n{place}, each round: {each}")


def _seconds(place: Literal["local", "ray"], count: int, steps: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = [_job(folder, number, steps) for number in range(count)]
        started = time.monotonic()
        ends = list(run_jobs(jobs, folder=folder, on=place, parallel=2))
        whole = time.monotonic() - started
        bad = [end for end in ends if end.code != 0]
        if bad:
            raise SystemExit(f"{bad[0].job.name}: {bad[0].reason}")
        told = [json.loads((folder / f"{n}.json").read_text()) for n in range(count)]
        begun = min(_begun(folder / f"{n}.log") for n in range(count))
        return {
            "jobs": max(one["ended"] for one in told) - begun,
            "whole call": whole,
            "processor": sum(one["processor"] for one in told),
        }


def _begun(log: Path) -> float:
    """When a job's process opened its log, before it imports torch; it writes nothing into it."""
    return log.stat().st_mtime


def _job(folder: Path, number: int, steps: int) -> Job:
    return Job(
        name=f"job {number}",
        module="benchmarks._executor_work",
        arguments=(str(folder / f"{number}.json"), str(steps)),
        log=folder / f"{number}.log",
        result=folder / f"{number}.json",
    )


if __name__ == "__main__":
    main()
