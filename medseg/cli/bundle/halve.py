"""`medseg bundle halve`: weights in half precision."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.errors import UsageError

__all__ = ["halve"]


def halve(
    weights: Annotated[Path, typer.Argument(help="Weights file, .safetensors.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, .safetensors.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Round weights to half precision, for a file of half the size; evaluate them afterwards.

    medseg bundle halve eval/model.safetensors -o bundles/NAME/models/model.safetensors
    """
    from medseg.data.digest import file_sha256
    from medseg.networks.weights import halve_weights

    if output.suffix != ".safetensors":
        raise UsageError(f"{output}: must end in .safetensors")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} already exists; use --overwrite or another -o")
    halve_weights(weights, output)
    size = output.stat().st_size / 1e6
    say(f"{output}: {size:.2f} MB, sha256 {file_sha256(output)}")
