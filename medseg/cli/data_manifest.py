"""`medseg data manifest`: the manifest of a folder of images and labels, or of a dataset.json."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from medseg.cli import data_options as options
from medseg.cli.rois import parse_rois
from medseg.cli.say import say
from medseg.data.manifest import Manifest, save_manifest
from medseg.errors import UsageError

__all__ = ["manifest", "print_next", "print_summary"]

LabelValues = Literal["check", "mend"]


def manifest(  # noqa: PLR0913 - one argument an option
    out: Annotated[Path, typer.Option(help="The manifest to write, a JSON file.")],
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder with a dataset.json, as nnU-Net (raw) or the Decathlon has it, instead of "
            "--images and --labels."
        ),
    ] = None,
    images: options.Images = None,
    channel: options.Channel = None,
    labels: options.Labels = None,
    modality: options.Modality = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the data set: lower case, digits and _ (default: the folder's name)."
        ),
    ] = None,
    label_names: options.LabelNames = "",
    label_values: Annotated[
        LabelValues,
        typer.Option(
            help="Check that every value has a name, or leave values to be mended by medseg data "
            "check --fix."
        ),
    ] = "check",
    rois: options.Rois = None,
    label_kind: options.LabelKind = "classes",
    folds: Annotated[int, typer.Option(help="Number of folds; a patient is in one only.")] = 5,
    test: options.Test = 0,
    patient_regex: options.PatientRegex = None,
    group_regex: options.GroupRegex = None,
    table: options.Table = None,
    patient_column: options.PatientColumn = None,
    group_column: options.GroupColumn = None,
    seed: options.Seed = 0,
    description: Annotated[
        str, typer.Option(help="Description of the data set, one sentence.")
    ] = "not stated",
    source: options.Source = "not stated",
    licence: options.Licence = "not stated",
    citation: options.Citation = "not stated",
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace an existing manifest.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Show the pairs and folds, write nothing.")
    ] = False,
) -> None:
    """Write the manifest of a folder of images and labels, as training needs it."""
    from medseg.data.datasets.case_table import table_of
    from medseg.data.datasets.collect import DatasetInfo, SplitPlan
    from medseg.data.datasets.collected import DatasetFiles, collect_files

    if out.exists() and not (overwrite or dry_run):
        raise UsageError(f"{out} already exists; use --overwrite or another --out")
    files = DatasetFiles(folder=folder, images=images, channels=tuple(channel or ()), labels=labels)
    about = DatasetInfo(
        name=name,
        modality=files.modality(modality),
        label_names=tuple(part.strip() for part in label_names.split(",")) if label_names else (),
        label_kind=label_kind,
        label_values=label_values,
        rois=parse_rois(rois),
        description=description,
        source=source,
        licence=licence,
        citation=citation,
    )
    plan = SplitPlan(
        folds=folds,
        test_patients=test,
        patient_regex=patient_regex,
        group_regex=group_regex,
        table=table_of(table, patient_column, group_column),
        seed=seed,
    )
    collected, root = collect_files(files, about, plan)
    print_summary(collected)
    if dry_run:
        _print_cases(collected)
        say("Nothing written; run without --dry-run to write it.")
        return
    save_manifest(collected, out)
    print_next(out, root)


def print_next(manifest_path: Path, folder: Path) -> None:
    """Print the command that checks a data set."""
    say("Next, check every case:")
    paths = shlex.quote(str(manifest_path)), shlex.quote(str(folder))
    say(f"  medseg data check {paths[0]} --dataset-dir {paths[1]}")


def print_summary(manifest: Manifest) -> None:
    """Print what a manifest holds in a line."""
    names = ", ".join(f"{label.value} {label.name}" for label in manifest.labels)
    names = names.replace(",", " (background),", 1) if "background" not in names else names
    patients = len({case.patient for case in manifest.cases})
    folds = len({case.fold for case in manifest.training})
    several = len(manifest.channels) > 1
    channels = f" channels {', '.join(one.name for one in manifest.channels)};" if several else ""
    say(
        f"{manifest.name}: {len(manifest.cases)} cases of {patients} patients, "
        f"{len(manifest.test)} of them for testing, the others in {folds} folds;{channels} "
        f"labels {names}"
    )


def _print_cases(manifest: Manifest) -> None:
    for case in manifest.cases:
        place = "test" if case.fold is None else f"fold {case.fold}"
        files = " + ".join((*case.images, str(case.label)))
        say(f"{case.case}: patient {case.patient}, {place}, {files}")
