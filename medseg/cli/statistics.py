"""`medseg data statistics`: how intensities lie in a data set's foreground."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from medseg.data.channel import Statistics
from medseg.data.manifest import Manifest, load_manifest, save_manifest
from medseg.errors import DataError, UsageError

__all__ = ["statistics"]


def statistics(
    manifest: Annotated[Path, typer.Argument(help="The data set's manifest, a JSON file.")],
    dataset_dir: Annotated[Path, typer.Option(help="The folder that holds its files.")],
    fold: Annotated[
        int | None, typer.Option(min=0, help="Leave this fold out, which a training holds out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the manifest with its statistics here.")
    ] = None,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace an existing --out, be it the manifest.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
) -> None:
    """Measure mean, standard deviation and percentiles where the training labels are.

    medseg.transforms.DatasetZScored normalises by them. Test cases are not read.
    """
    if out is not None and out.exists() and not overwrite:
        raise UsageError(f"{out} already exists; use --overwrite or another --out")
    # What reads images takes a while to import; --help needs none of it.
    from medseg.data.datasets.statistics import with_statistics

    known = load_manifest(manifest)
    measured = _measure(known, dataset_dir, fold)
    if out is not None:
        save_manifest(with_statistics(known, measured), out)
    if as_json:
        names = (channel.name for channel in known.channels)
        found = {n: one.model_dump() for n, one in zip(names, measured, strict=True)}
        typer.echo(json.dumps(found, indent=2))
        return
    _print(known, measured)
    if out is not None:
        typer.echo(f"Written into {out}.")


def _measure(manifest: Manifest, dataset_dir: Path, fold: int | None) -> tuple[Statistics, ...]:
    from medseg.data.datasets.statistics import foreground_samples, measured_cases, summarise

    if not dataset_dir.is_dir():
        raise DataError(f"{dataset_dir}: no such folder; give the one that holds {manifest.name}")
    cases = measured_cases(manifest, fold)
    console = Console(stderr=True)
    return summarise(
        track(
            foreground_samples(manifest, dataset_dir, cases),
            "measuring",
            total=len(cases),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
    )


def _print(manifest: Manifest, measured: tuple[Statistics, ...]) -> None:
    for channel, one in zip(manifest.channels, measured, strict=True):
        typer.echo(
            f"{channel.name} ({channel.unit}): 0.5 % {one.low:.5g}, 99.5 % {one.high:.5g}, "
            f"mean {one.mean:.5g}, std {one.std:.5g}"
        )
