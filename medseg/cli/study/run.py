"""`medseg study run`: train and score every row of a study, and compare them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode

if TYPE_CHECKING:
    from medseg.executor.job import Ended
    from medseg.studies.running.plan import PlannedRun, StudyPlan

__all__ = ["run"]


def run(
    study: Annotated[Path, typer.Argument(help="The study file.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Override keys of all runs: dataset_dir=DIR."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Output folder (default: runs/studies/NAME)."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of all runs, which studies share.")] = Path(
        "runs/studies/runs"
    ),
    parallel: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = 1,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Say what would be run; run nothing.")
    ] = False,
) -> None:
    """Run a study: each row under each seed and fold, once, and a page that compares them.

    medseg study run bundles/ebhi_histology_unet2d/studies/ablation.yaml dataset_dir=ebhi-seg

    Interrupted, it goes on where it was when it is started again.
    """
    from medseg.sharing.store.bundle_path import given_bundle
    from medseg.studies.running.plan import plan_study
    from medseg.studies.study_file import load_study

    content = load_study(study)
    bundle = given_bundle(_bundle_of(study, content.bundle)).path
    plan = plan_study(content, bundle, overrides or [])
    folder = out or Path("runs/studies") / study.stem
    if dry_run:
        _tell_plan(plan, runs)
        return
    _run(plan, runs, folder, parallel)


def _bundle_of(study: Path, named: str | None) -> Path:
    from medseg.errors import UsageError

    if named is not None:
        return Path(named)
    if study.parent.name != "studies":
        raise UsageError(f"{study}: add the key bundle: the folder or name of the base bundle")
    return study.resolve().parent.parent


def _tell_plan(plan: "StudyPlan", store: Path) -> None:
    from medseg.studies.running.run_study import missing_runs

    missing = missing_runs(plan, store)
    say(f"{len(plan.rows)} rows, {len(plan.runs)} runs, {len(missing)} of them to do")


def _run(plan: "StudyPlan", store: Path, folder: Path, parallel: int) -> None:
    from medseg.executor.local import run_local
    from medseg.studies.running.run_study import collect_results, missing_runs, run_missing

    todo = len(missing_runs(plan, store))
    say(f"{len(plan.runs)} runs, {todo} to do", to="errors")
    done = 0

    def told(run: "PlannedRun", ended: "Ended") -> None:
        nonlocal done
        done += 1
        state = "done" if ended.code == 0 else f"failed: {ended.reason}"
        say(f"[{done}/{todo}] {run.row}, seed {run.seed}, fold {run.fold}: {state}", to="errors")

    run_missing(plan, store, lambda jobs: run_local(jobs, parallel=parallel), told)
    results = collect_results(plan, store)
    if any(one.reason for one in results.runs):
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)
