"""`medseg data statistics`: intensity statistics of a data set's foreground."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from medseg.cli.say import say
from medseg.data.channel import Statistics
from medseg.data.manifest import Manifest, load_manifest, save_manifest
from medseg.errors import DataError, UsageError

__all__ = ["statistics"]


def statistics(
    manifest: Annotated[Path, typer.Argument(help="The data set's manifest, a JSON file.")],
    dataset_dir: Annotated[Path, typer.Option(help="Folder of the data set's files.")],
    fold: Annotated[
        int | None, typer.Option(min=0, help="Leave out this fold, as held out for validation.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the manifest with its statistics to this file.")
    ] = None,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool,
        typer.Option(
            "--overwrite", help="Replace an existing --out, which may be the manifest itself."
        ),
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
) -> None:
    """Measure mean, standard deviation and percentiles of the training cases' foreground.

    medseg.transforms.DatasetZScored normalises with them. Test cases are not read.
    """
    if out is not None and out.exists() and not overwrite:
        raise UsageError(f"{out} already exists; use --overwrite or another --out")
    # Readers of images take a while to import; --help does not need them.
    from medseg.data.datasets.statistics import with_statistics

    dataset = load_manifest(manifest)
    measured = _measure(dataset, dataset_dir, fold)
    if out is not None:
        save_manifest(with_statistics(dataset, measured), out)
    if as_json:
        names = (channel.name for channel in dataset.channels)
        by_name = {n: one.model_dump() for n, one in zip(names, measured, strict=True)}
        typer.echo(json.dumps(by_name, indent=2))
        return
    _print(dataset, measured)
    if out is not None:
        say(f"Written into {out}.")


def _measure(manifest: Manifest, dataset_dir: Path, fold: int | None) -> tuple[Statistics, ...]:
    from medseg.data.datasets.statistics import foreground_samples, measured_cases, summarise

    if not dataset_dir.is_dir():
        raise DataError(f"{dataset_dir}: no such folder; use the one that holds {manifest.name}")
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
        say(
            f"{channel.name} ({channel.unit}): 0.5 % {one.low:.5g}, 99.5 % {one.high:.5g}, "
            f"mean {one.mean:.5g}, std {one.std:.5g}"
        )
