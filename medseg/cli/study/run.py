"""`medseg study run`: train and score every row of a study, and compare them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.cli.study.runs import (
    DEFAULT_FOLDER,
    RunsOn,
    bundle_of,
    gpus_of_run,
    run_plan,
    write_page,
)
from medseg.executor.run import Place
from medseg.studies.pages.extent import Extent

if TYPE_CHECKING:
    from medseg.studies.running.plan import PlannedRun, StudyPlan

__all__ = ["run"]


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
    plan = plan_study(content, given_bundle(bundle_of(study, content.bundle)).path, overrides or [])
    missing = missing_runs(plan, runs, failed="again" if retry else "kept")
    if dry_run:
        _tell_forecast(plan, runs, missing, parallel or max(1, count_cores() // content.threads))
        return
    folder = out or DEFAULT_FOLDER / study.stem
    where = RunsOn(folder=folder, on=on, address=address, parallel=parallel, gpus=gpus_of_run(gpus))
    with study_folder(folder, study):
        run_plan(plan, runs, missing, where)
        write_page(plan, runs, folder, page)


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
