"""`medseg plan`: a bundle of the user's own, planned from their images and labels."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from medseg.cli import data_options as options
from medseg.cli.rois import parse_rois
from medseg.cli.say import say
from medseg.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Generator

    from medseg.planning.make import MadePlan

__all__ = ["plan"]


def plan(  # noqa: PLR0913 - one argument an option
    folder: Annotated[Path, typer.Argument(help="The bundle to write; its name is the folder's.")],
    images: options.Images = None,
    channel: options.Channel = None,
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="Folder with a dataset.json, as nnU-Net (raw) or the Decathlon has it, instead."
        ),
    ] = None,
    labels: options.Labels = None,
    label_names: options.LabelNames = "",
    modality: options.Modality = None,
    rois: options.Rois = None,
    label_kind: options.LabelKind = "classes",
    manifest: Annotated[
        Path | None, typer.Option(help="A manifest, instead of --images and --labels.")
    ] = None,
    dataset_dir: Annotated[
        Path | None, typer.Option(help="Folder of the manifest's files (default: its own).")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Minutes that a training may take (default: 60).")
    ] = None,
    memory_gb: Annotated[
        float | None, typer.Option(help="Memory that it may take (default: 0.7 of what is free).")
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="Where it will be trained.")
    ] = "auto",
    pins: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Pin a value, and plan the rest around it."
        ),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Number of folds (default: 5, or as many as patients).")
    ] = None,
    test: options.Test = 0,
    seed: options.Seed = 0,
    patient_regex: options.PatientRegex = None,
    group_regex: options.GroupRegex = None,
    table: options.Table = None,
    patient_column: options.PatientColumn = None,
    group_column: options.GroupColumn = None,
    source: options.Source = "not stated",
    licence: options.Licence = "not stated",
    citation: options.Citation = "not stated",
    measured: Annotated[
        Literal["steps", "nothing"],
        typer.Option(help="steps: real steps on this machine decide how long and how large."),
    ] = "steps",
    update: Annotated[  # noqa: FBT002 - a command-line switch
        bool,
        typer.Option("--update", help="Plan an existing bundle anew: new cases, other budgets."),
    ] = False,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="With --update: replace configs that you edited.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Say what would be planned, write nothing.")
    ] = False,
) -> None:
    """Plan a bundle from images and labels, every number with its reason.

    medseg plan mytask --images 'data/*_CT.nii.gz' --labels 'data/*_mask.nii.gz'
    --label-names background,tumour --modality CT

    Then `medseg train mytask` and `medseg predict mytask IMAGE -o labels` need nothing else.
    """
    from medseg.bundles.writing.write import require_new
    from medseg.data.datasets.case_table import table_of
    from medseg.data.datasets.collect import DatasetInfo, SplitPlan
    from medseg.data.datasets.collected import DatasetFiles
    from medseg.planning.make import Listener, make_plan, remake_plan, save_plan
    from medseg.planning.request import PlanRequest
    from medseg.planning.rules.pins import parse_pins

    if not update:
        require_new(folder)

    names = tuple(part.strip() for part in label_names.split(",")) if label_names else ()
    files = None
    if manifest is None and (images or channel or labels or dataset or not update):
        files = DatasetFiles(
            folder=dataset, images=images, channels=tuple(channel or ()), labels=labels
        )
    info = None
    if files is not None:
        info = DatasetInfo(
            modality=files.modality(modality),
            label_names=names,
            label_kind=label_kind,
            rois=parse_rois(rois),
            source=source,
            licence=licence,
            citation=citation,
        )
    elif rois:
        raise UsageError("--rois is for --images and --labels; a manifest has rois of its own")
    request = PlanRequest(
        folder=folder,
        files=files,
        manifest=manifest,
        dataset_dir=dataset_dir,
        info=info,
        split=SplitPlan(
            folds=folds,
            test_patients=test,
            patient_regex=patient_regex,
            group_regex=group_regex,
            table=table_of(table, patient_column, group_column),
            seed=seed,
        ),
        minutes=minutes,
        memory_gb=memory_gb,
        device=device,
        pins=parse_pins(pins or []),
        measured=measured,
    )
    with _reading() as reading:
        listener = Listener(tell=_tell, reading=reading)
        made = remake_plan(request, listener) if update else make_plan(request, listener)
    if made is None:
        say(f"{folder}: nothing has changed, so the plan stays as it is")
        return
    _print_plan(made)
    if dry_run:
        say("Nothing written; run without --dry-run to write it.")
        return
    for line in save_plan(made, "replace" if overwrite else "refuse"):
        _tell(line)
    _finish(folder)


def _finish(folder: Path) -> None:
    from medseg.sharing.describing.card import update_card

    update_card(folder)
    say(f"{folder} written; docs/plan.md has the reason for each number. Next:")
    say(f"  medseg train {folder}")


def _tell(line: str) -> None:
    say(line, to="errors")


@contextmanager
def _reading() -> "Generator[Callable[[int, int], None]]":
    """A progress bar of the cases that are read, on a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def reading(done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole)
            if done == whole:
                bar.stop()

        yield reading


def _print_plan(made: "MadePlan") -> None:
    from medseg.bundles.writing.draft import modalities
    from medseg.bundles.writing.flow import flow
    from medseg.planning.plan_file import expectation

    facts, planned = made.facts, made.planned
    if made.changes is not None:
        say("the plan changes:" if made.changes else "the plan stays, but for its length and cases")
        for change in made.changes:
            say(f"  {change}")
    say(
        f"{facts.cases} cases of {facts.patients} patients ({made.read} read now), "
        f"{modalities(planned.draft.manifest)}, "
        f"labels {', '.join(planned.draft.class_names)}"
    )
    for remark in made.remarks:
        say(f"look at: {remark}", to="errors")
    say(f"recipe {planned.draft.recipe}: {planned.recipe_why}")
    for choice in planned.choices:
        say(f"  {choice.key}: {flow(choice.value)} - {choice.why}")
    say(expectation(facts.patients, planned.draft.manifest))
    if made.forecast is not None:
        say(f"forecast: {made.forecast.told()}")
