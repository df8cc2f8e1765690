"""`medseg data`: check a data set, write its manifest, measure it, make phantoms, preview."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from medseg.cli.check import check
from medseg.cli.croissant import croissant
from medseg.cli.preview import preview
from medseg.cli.rois import parse_rois
from medseg.cli.say import say
from medseg.cli.statistics import statistics
from medseg.data.datasets.pairs import PAIRING_RULE
from medseg.data.label_kind import LabelKind
from medseg.data.manifest import Manifest, Modality, save_manifest
from medseg.data.phantoms.file_format import FileFormat
from medseg.errors import UsageError

__all__ = ["app"]

LabelValues = Literal["check", "mend"]
PhantomKind = Literal["chest", "abdominal-fat"]

app = typer.Typer(
    help="Check a data set, write its manifest, measure it, make phantoms, preview a recipe.",
    no_args_is_help=True,
)
app.command()(check)
app.command()(preview)
app.command()(statistics)
app.command()(croissant)


@app.command(epilog=f"{PAIRING_RULE} Without --patient-regex, each case is a separate patient.")
def manifest(  # noqa: PLR0913 - one argument an option
    images: Annotated[str, typer.Option(help="Images, as a quoted pattern: 'ct/*.nii.gz'.")],
    labels: Annotated[
        str,
        typer.Option(help="Their labels, as a quoted pattern; also DICOM SEG or RTSTRUCT files."),
    ],
    out: Annotated[Path, typer.Option(help="The manifest to write, a JSON file.")],
    modality: Annotated[Modality, typer.Option(help="Imaging modality.")],
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the data set: lower case, digits and _ (default: the folder's name)."
        ),
    ] = None,
    label_names: Annotated[
        str,
        typer.Option(
            help="Names of the label values, from 0, the background: 'background,lung,infection'."
        ),
    ] = "",
    label_values: Annotated[
        LabelValues,
        typer.Option(
            help="Check that every value has a name, or leave values to be mended by medseg data "
            "check --fix."
        ),
    ] = "check",
    rois: Annotated[
        list[str] | None,
        typer.Option(
            help="Of labels in DICOM (SEG, RTSTRUCT): a pattern of names in them and the class "
            "that they are, 'GTV*=tumour'; repeatable, later ones cover earlier ones."
        ),
    ] = None,
    label_kind: Annotated[
        LabelKind,
        typer.Option(
            help="What label files contain: values of classes, numbered instances of one class, or "
            "an 8-bit mask with foreground above the middle."
        ),
    ] = "classes",
    folds: Annotated[int, typer.Option(help="Number of folds; a patient is in one only.")] = 5,
    test: Annotated[int, typer.Option(min=0, help="Patients to set aside for testing.")] = 0,
    patient_regex: Annotated[
        str | None,
        typer.Option(help="Pattern whose group is the patient in a case's name: '^(p[0-9]+)_'."),
    ] = None,
    group_regex: Annotated[
        str | None,
        typer.Option(
            help="Pattern whose group is the case's group, e.g. a tissue class, in the path of its "
            "image below the data set's folder: '^([^/]+)/'."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed for assigning patients to folds.")] = 0,
    description: Annotated[
        str, typer.Option(help="Description of the data set, one sentence.")
    ] = "not stated",
    source: Annotated[str, typer.Option(help="Where the images come from.")] = "not stated",
    licence: Annotated[str, typer.Option(help="Licence of the data set.")] = "not stated",
    citation: Annotated[str, typer.Option(help="Publication to cite.")] = "not stated",
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace an existing manifest.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Show the pairs and folds, write nothing.")
    ] = False,
) -> None:
    """Write the manifest of a folder of images and labels, as training needs it."""
    from medseg.data.datasets.collect import (
        DatasetInfo,
        SplitPlan,
        collect_manifest,
        find_files,
    )

    if out.exists() and not (overwrite or dry_run):
        raise UsageError(f"{out} already exists; use --overwrite or another --out")
    about = DatasetInfo(
        name=name,
        modality=modality,
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
        seed=seed,
    )
    collected, folder = collect_manifest(
        find_files(images, option="--images"), find_files(labels, option="--labels"), about, plan
    )
    _print_summary(collected)
    if dry_run:
        _print_cases(collected)
        say("Nothing written; run without --dry-run to write it.")
        return
    save_manifest(collected, out)
    _print_next(out, folder)


@app.command()
def phantom(  # noqa: PLR0913 - one argument an option
    out: Annotated[Path, typer.Argument(help="Folder to create; must be empty if it exists.")],
    kind: Annotated[
        PhantomKind,
        typer.Option(help="Chest CT with infections, or abdominal fat MR slices."),
    ] = "chest",
    cases: Annotated[int, typer.Option(help="Number of patients.")] = 12,
    slices: Annotated[
        int | None,
        typer.Option(help="Slices per patient, each one a case; abdominal fat only (default: 4)."),
    ] = None,
    test: Annotated[
        int | None,
        typer.Option(
            help="Patients set aside for testing (default: 2, if enough are left for the folds)."
        ),
    ] = None,
    folds: Annotated[int, typer.Option(help="Number of folds of the other patients.")] = 2,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed gives the same files.")] = 0,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="Format of the images; labels are NIfTI.")
    ] = "nifti",
) -> None:
    """Make phantoms with labels, to try all commands on.

    Chest CT with lung and infection, or abdominal fat MR with subcutaneous and visceral fat.
    """
    from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
    from medseg.data.phantoms.fat.writer import FatPhantomSet, write_fat_phantoms

    test_cases = max(0, min(2, cases - folds)) if test is None else test
    if kind == "chest":
        if slices is not None:
            raise UsageError("--slices is for --kind abdominal-fat; remove it for chest")
        written = write_phantoms(
            out,
            PhantomSet(
                cases=cases, test_cases=test_cases, folds=folds, seed=seed, file_format=file_format
            ),
        )
    else:
        if file_format != "nifti":
            raise UsageError("--kind abdominal-fat is written as NIfTI; remove --format")
        written = write_fat_phantoms(
            out,
            FatPhantomSet(
                patients=cases,
                test_patients=test_cases,
                slices=4 if slices is None else slices,
                folds=folds,
                seed=seed,
            ),
        )
    _print_summary(written)
    _print_next(out / "manifest.json", out)


def _print_next(manifest_path: Path, folder: Path) -> None:
    say("Next, check every case:")
    paths = shlex.quote(str(manifest_path)), shlex.quote(str(folder))
    say(f"  medseg data check {paths[0]} --dataset-dir {paths[1]}")


def _print_summary(manifest: Manifest) -> None:
    names = ", ".join(f"{label.value} {label.name}" for label in manifest.labels)
    names = names.replace(",", " (background),", 1) if "background" not in names else names
    patients = len({case.patient for case in manifest.cases})
    folds = len({case.fold for case in manifest.training})
    say(
        f"{manifest.name}: {len(manifest.cases)} cases of {patients} patients, "
        f"{len(manifest.test)} of them for testing, the others in {folds} folds; labels {names}"
    )


def _print_cases(manifest: Manifest) -> None:
    for case in manifest.cases:
        place = "test" if case.fold is None else f"fold {case.fold}"
        say(f"{case.case}: patient {case.patient}, {place}, {case.image} + {case.label}")
