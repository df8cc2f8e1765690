"""`medseg data croissant`: a data set's manifest as Croissant metadata, for catalogues."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.data.manifest import load_manifest
from medseg.errors import UsageError

__all__ = ["croissant"]


def croissant(
    manifest: Annotated[Path, typer.Argument(help="The data set's manifest, a JSON file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, e.g. croissant.json.")],
    url: Annotated[
        str | None, typer.Option(help="Address of the data set (default: the manifest's source).")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Write Croissant metadata: files with digests, licence, citation, cases; no patients.

    medseg data croissant data_manifests/msd_hippocampus.json -o croissant.json
    """
    if output.exists() and not overwrite:
        raise UsageError(f"{output} already exists; use --overwrite or another -o")
    from medseg.sharing.describing.croissant import write_croissant

    described = load_manifest(manifest)
    write_croissant(described, output, url=url)
    say(f"{output}: {len(described.cases)} cases as Croissant metadata, validated")
