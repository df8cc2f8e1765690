"""Runs of a study on the command line: where they are computed, how far they are, and the page."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode
from medseg.executor.run import Place
from medseg.studies.pages.extent import Extent

if TYPE_CHECKING:
    from medseg.executor.job import Ended, Job
    from medseg.studies.running.plan import PlannedRun, StudyPlan

__all__ = ["DEFAULT_FOLDER", "RunsOn", "bundle_of", "gpus_of_run", "run_plan", "write_page"]

DEFAULT_FOLDER = Path("runs/studies")


def bundle_of(study: Path, named: str | None) -> Path:
    """The bundle that a study file names, or in whose `studies` it lies."""
    from medseg.errors import UsageError

    if named is not None:
        return Path(named)
    if study.resolve().parent.name != "studies":
        raise UsageError(f"{study}: add the key bundle: the folder or name of the base bundle")
    return study.resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class RunsOn:
    """Where runs are computed; see `run_jobs`. The folder is the study's own."""

    folder: Path
    on: Place
    address: str | None
    parallel: int | None
    gpus: float


def gpus_of_run(given: float | None) -> float:
    """GPUs of a run: as given, or one if this machine has one."""
    import torch

    return float(torch.cuda.is_available()) if given is None else given


def run_plan(plan: "StudyPlan", store: Path, missing: "list[PlannedRun]", where: RunsOn) -> None:
    """Run what is missing, and say how far it is."""
    from medseg.executor.run import run_jobs
    from medseg.studies.running.run_study import run_missing

    def runner(jobs: "Iterable[Job]") -> "Iterator[Ended]":
        return run_jobs(
            jobs, folder=where.folder, on=where.on, parallel=where.parallel, address=where.address
        )

    say(f"{len(plan.runs)} runs, {len(missing)} of them to do", to="errors")
    if missing:
        run_missing(plan, store, missing, runner, _progress(len(missing)), gpus=where.gpus)


def _progress(count: int) -> "Callable[[PlannedRun, Ended], None]":
    from medseg.studies.running.run_study import run_name

    started = time.monotonic()
    done = 0

    def told(run: "PlannedRun", ended: "Ended") -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - started) / done * (count - done) / 60
        state = "done" if ended.code == 0 else f"failed: {ended.reason}"
        eta = f", {left:.0f} min left" if done < count else ""
        say(f"[{done}/{count}] {run_name(run)}: {state}{eta}", to="errors")

    return told


def write_page(plan: "StudyPlan", store: Path, folder: Path, extent: Extent) -> None:
    """Write the page of a study whose runs are done, and say where it is."""
    from medseg.errors import MachineError
    from medseg.studies.pages import row_repeats, write_study
    from medseg.studies.running.classical_rows import with_classical_rows
    from medseg.studies.running.run_study import collect_results
    from medseg.studies.statistics import summarise_study

    results = collect_results(plan, store)
    lost = len(plan.runs) - len(results.runs)
    if lost:
        raise MachineError(
            f"{lost} of {len(plan.runs)} runs were lost with their processes; start the study again"
        )
    results = with_classical_rows(results, plan, store)
    summary = summarise_study(results)
    repeats = row_repeats(plan, store)
    page = write_study(results, summary, folder, study=plan.study, repeats=repeats, extent=extent)
    failed = sum(1 for one in results.runs if one.reason)
    say(page)
    if failed:
        say(f"{failed} of {len(plan.runs)} runs failed; see {page}", to="errors")
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)
