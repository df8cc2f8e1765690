"""`medseg study run`: train and score every row of a study, and compare them."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode
from medseg.executor.run import Place
from medseg.studies.pages.extent import Extent

if TYPE_CHECKING:
    from medseg.executor.job import Ended, Job
    from medseg.studies.running.plan import PlannedRun, StudyPlan

__all__ = ["run"]

DEFAULT_FOLDER = Path("runs/studies")


def run(  # noqa: PLR0913 - the options of a command
    study: Annotated[Path, typer.Argument(help="The study file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Override keys of all runs: dataset_dir=DIR."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Output folder (default: runs/studies/NAME)."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of all runs, which studies share.")] = (
        DEFAULT_FOLDER / "runs"
    ),
    on: Annotated[
        Place, typer.Option(help="Where runs are computed: this machine, Ray, Slurm.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster, such as 10.0.0.1:6379.")
    ] = None,
    parallel: Annotated[
        int | None,
        typer.Option(min=1, help="Runs at a time (default: as many as find cores)."),
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(min=0, help="GPUs of a run (default: 1 if there is one, else 0)."),
    ] = None,
    page: Annotated[
        Extent, typer.Option(help="Its files: all, or compact, as for docs/studies.")
    ] = "whole",
    retry: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--retry", help="Run again what failed.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Say runs, hours and disk; keep nothing.")
    ] = False,
) -> None:
    """Run a study: each row under each seed and fold, once, and a page that compares them.

    medseg study run bundles/ebhi_histology_unet2d/studies/ablation.yaml dataset_dir=ebhi-seg

    Interrupted, it goes on where it was when it is started again; grown by a row, it runs that row.
    """
    from medseg.executor.places import count_cores
    from medseg.sharing.store.bundle_path import given_bundle
    from medseg.studies.running.plan import plan_study
    from medseg.studies.running.run_study import missing_runs
    from medseg.studies.running.study_folder import study_folder
    from medseg.studies.study_file import load_study

    content = load_study(study)
    plan = plan_study(
        content, given_bundle(_bundle_of(study, content.bundle)).path, overrides or []
    )
    missing = missing_runs(plan, runs, failed="again" if retry else "kept")
    if dry_run:
        _tell_forecast(plan, runs, missing, parallel or max(1, count_cores() // content.threads))
        return
    folder = out or DEFAULT_FOLDER / study.stem
    where = _Where(on=on, address=address, parallel=parallel, gpus=_gpus(gpus))
    with study_folder(folder, study):
        _run(plan, runs, missing, where)
        _write(plan, runs, folder, page)


def _bundle_of(study: Path, named: str | None) -> Path:
    from medseg.errors import UsageError

    if named is not None:
        return Path(named)
    if study.resolve().parent.name != "studies":
        raise UsageError(f"{study}: add the key bundle: the folder or name of the base bundle")
    return study.resolve().parent.parent


def _tell_forecast(
    plan: "StudyPlan", store: Path, missing: "list[PlannedRun]", parallel: int
) -> None:
    from medseg.studies.running.forecast import forecast

    known = forecast(plan, store, missing)
    hours = known.runs * known.minutes / parallel / 60
    source = "as earlier runs" if known.known_by == "runs" else "by a trial of the baseline"
    say(f"{len(plan.rows)} rows, {len(plan.runs)} runs, {known.runs} of them to do")
    say(
        f"{known.minutes:.1f} min and {known.megabytes:.1f} MB a run ({source}): "
        f"{hours:.1f} h with {parallel} at a time, {known.runs * known.megabytes / 1000:.2f} GB"
    )


@dataclass(frozen=True, kw_only=True)
class _Where:
    """Where runs are computed; see `run_jobs`."""

    on: Place
    address: str | None
    parallel: int | None
    gpus: float


def _gpus(given: float | None) -> float:
    import torch

    return float(torch.cuda.is_available()) if given is None else given


def _run(plan: "StudyPlan", store: Path, missing: "list[PlannedRun]", where: _Where) -> None:
    from medseg.executor.run import run_jobs
    from medseg.studies.running.run_study import run_missing

    def runner(jobs: "Iterable[Job]") -> "Iterator[Ended]":
        return run_jobs(
            jobs, folder=store, on=where.on, parallel=where.parallel, address=where.address
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


def _write(plan: "StudyPlan", store: Path, folder: Path, extent: Extent) -> None:
    from medseg.errors import MachineError
    from medseg.studies.pages import row_repeats, write_study
    from medseg.studies.running.run_study import collect_results
    from medseg.studies.statistics import summarise_study

    results = collect_results(plan, store)
    lost = len(plan.runs) - len(results.runs)
    if lost:
        raise MachineError(
            f"{lost} of {len(plan.runs)} runs were lost with their processes; start the study again"
        )
    summary = summarise_study(results)
    repeats = row_repeats(plan, store)
    page = write_study(results, summary, folder, study=plan.study, repeats=repeats, extent=extent)
    failed = sum(1 for one in results.runs if one.reason)
    say(page)
    if failed:
        say(f"{failed} of {len(plan.runs)} runs failed; see {page}", to="errors")
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)
