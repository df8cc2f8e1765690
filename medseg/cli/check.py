"""`medseg data check`: what is wrong with a data set; with `--fix`, mended into a new folder."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from medseg.data.manifest import load_manifest
from medseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from medseg.data.datasets.facts import DatasetReport

__all__ = ["check"]

Item = TypeVar("Item")
ClinicLabels = Literal["keep", "nifti"]


def check(
    manifest: Annotated[Path, typer.Argument(help="The data set's manifest, a JSON file.")],
    dataset_dir: Annotated[Path, typer.Option(help="Folder of the data set's files.")],
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
    fix: Annotated[
        Path | None,
        typer.Option(
            help="Mend what can be without a guess into this new folder, with a record of each "
            "change; nothing is changed in place."
        ),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="With --fix: say what would be done, write nothing.")
    ] = False,
    clinic_labels: Annotated[
        ClinicLabels,
        typer.Option(help="With --fix: keep labels in DICOM as they are, or write them as NIfTI."),
    ] = "keep",
) -> None:
    """Read every case, and report what is wrong with it and what to do.

    Exits with 0 if there are no errors (warnings may be acceptable), else with 3. With --fix: 0 if
    all cases are in the new folder, 1 if some were left out, 3 if all were.
    """
    if fix is None and (dry_run or clinic_labels != "keep"):
        raise UsageError("--dry-run and --clinic-labels are for --fix; add --fix FOLDER")
    # Readers of images take a while to import; --help does not need them.
    from medseg.cli.check_table import print_report
    from medseg.data.datasets.check import check_dataset

    loaded = load_manifest(manifest)
    report = check_dataset(
        loaded, dataset_dir, lambda cases: _with_progress(cases, "checking", len(loaded.cases))
    )
    if fix is not None:
        from medseg.cli.fix_table import fix as mend

        mend(
            loaded,
            dataset_dir,
            report,
            fix,
            clinic_labels=clinic_labels,
            dry_run=dry_run,
            as_json=as_json,
            progress=lambda cases: _with_progress(cases, "mending", len(loaded.cases)),
        )
        return
    if as_json:
        typer.echo(_as_json(report))
    else:
        print_report(report, loaded)
    if report.count("error"):
        raise typer.Exit(ExitCode.DATA)


def _with_progress(cases: Iterator[Item], what: str, total: int) -> Iterator[Item]:
    console = Console(stderr=True)
    yield from track(
        cases,
        what,
        total=total,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _as_json(report: "DatasetReport") -> str:
    counts = {"errors": report.count("error"), "warnings": report.count("warning")}
    # Intensities are of finite voxels only, so strict JSON can hold them.
    content = dataclasses.asdict(report)
    for case in content["cases"]:
        del case["sketch"]
    return json.dumps({**counts, **content}, indent=2, allow_nan=False)
