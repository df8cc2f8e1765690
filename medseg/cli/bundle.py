"""`medseg bundle`: sync copies, export to ONNX, halve weights."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode, UsageError

__all__ = ["app"]

app = typer.Typer(
    help="Sync a bundle's copies, export its network, halve its weights.", no_args_is_help=True
)


@app.command()
def sync(
    repository: Annotated[Path, typer.Argument(help="Folder that contains bundles/.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 on drift.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Update the copies of recipes, common parts and manifests in the bundles."""
    # torch and MONAI take seconds to import; --help needs neither.
    from medseg.bundles.sync import drifted_copies, sync_copies

    paths = drifted_copies(repository) if check else sync_copies(repository)
    for path in paths:
        say(f"{path}: {'differs from its original' if check else 'written'}")
    if check and paths:
        raise typer.Exit(ExitCode.DATA)


@app.command()
def export(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, e.g. model.onnx.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights file, .safetensors (default: the one in the bundle's models/)."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Export the trained network to ONNX, and check it with onnxruntime.

    medseg bundle export bundles/covid_lung_ct_unet3d -o model.onnx
    """
    from medseg.bundles.onnx import export_onnx

    existing = "replace" if overwrite else "refuse"
    done = export_onnx(bundle, output, weights=weights, existing=existing)
    say(
        f"{done.path}: image ({', '.join(done.image)}) to logits; onnxruntime's differ from "
        f"torch's by at most {done.largest_difference:.1g}"
    )


@app.command()
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
