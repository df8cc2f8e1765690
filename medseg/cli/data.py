"""`medseg data`: check a data set, write its manifest, measure it, make phantoms, preview."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from medseg.cli.check import check
from medseg.cli.croissant import croissant
from medseg.cli.data_manifest import manifest, print_next, print_summary
from medseg.cli.data_options import EPILOG
from medseg.cli.preview import preview
from medseg.cli.statistics import statistics
from medseg.data.phantoms.file_format import FileFormat
from medseg.errors import UsageError

__all__ = ["app"]

PhantomKind = Literal["chest", "abdominal-fat"]

app = typer.Typer(
    help="Check a data set, write its manifest, measure it, make phantoms, preview a recipe.",
    no_args_is_help=True,
)
app.command()(check)
app.command(epilog=EPILOG)(manifest)
app.command()(preview)
app.command()(statistics)
app.command()(croissant)


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
    print_summary(written)
    print_next(out / "manifest.json", out)
