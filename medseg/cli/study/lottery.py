"""`medseg study lottery`: pruned networks trained again from their first weights, and controls."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from medseg.studies.running.plan import StudyPlan

__all__ = ["lottery"]


def lottery(  # noqa: PLR0913 - the options of a command
    study: Annotated[
        Path, typer.Argument(help="The study file: baseline, seeds, budget; no rows.")
    ],
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
    pruned: Annotated[
        str, typer.Option(help="Per cent of the weights that are pruned, rising.")
    ] = "50,80,90,95",
    rewind_epoch: Annotated[
        int, typer.Option(min=1, help="Epoch whose weights the later rewinding takes.")
    ] = 1,
    page: Annotated[
        Extent, typer.Option(help="Its files: all, or compact, as for docs/studies.")
    ] = "whole",
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
) -> None:
    """Train, prune by magnitude, rewind to the first weights, train again; and page the result.

    medseg study lottery bundles/ebhi_histology_unet2d/studies/lottery_ticket.yaml dataset_dir=DIR

    Beside each ticket: the one of weights after an epoch, the same mask with weights drawn anew,
    and a random mask. Interrupted, it goes on where it was when it is started again.
    """
    from medseg.sharing.store.bundle_path import given_bundle
    from medseg.studies.lottery.rounds import LotteryRounds, run_rounds
    from medseg.studies.running.run_study import missing_runs
    from medseg.studies.running.study_folder import study_folder
    from medseg.studies.study_file import load_study

    content = load_study(study)
    folder = out or DEFAULT_FOLDER / study.stem
    rounds = LotteryRounds(
        study=content,
        bundle=given_bundle(bundle_of(study, content.bundle)).path,
        pairs=overrides or [],
        sparsities=_sparsities(pruned),
        rewind_epoch=rewind_epoch,
        store=runs,
        starts=folder / "starts",
    )
    where = RunsOn(folder=folder, on=on, address=address, parallel=parallel, gpus=gpus_of_run(None))

    def run_round(plan: "StudyPlan") -> None:
        run_plan(plan, runs, missing_runs(plan, runs), where)

    with study_folder(folder, study):
        plan = run_rounds(rounds, run_round)
        write_page(plan, runs, folder, page)


def _sparsities(text: str) -> tuple[float, ...]:
    from medseg.errors import UsageError

    try:
        return tuple(float(part) / 100 for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"--pruned must be numbers between commas, such as 50,80,95; got {text!r}"
        ) from error
