"""`medseg bundle export`: the trained network as ONNX, its pipeline as JSON."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say

__all__ = ["export"]


def export(
    bundle: Annotated[
        Path, typer.Argument(help="The bundle's folder, or the name of an installed one.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, e.g. model.onnx.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights file, .safetensors (default: the one in the bundle's models/)."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Export the trained network to ONNX, checked with onnxruntime, and its pipeline to JSON.

    medseg bundle export bundles/covid_lung_ct_unet3d -o model.onnx
    """
    # What may not run is refused before torch and MONAI are imported, which takes seconds.
    from medseg.bundles.opened import open_configs
    from medseg.sharing.store.bundle_path import bundle_path

    folder = bundle_path(bundle)
    open_configs(folder, ["inference"])
    from medseg.bundles.onnx import export_onnx

    existing = "replace" if overwrite else "refuse"
    done = export_onnx(folder, output, weights=weights, existing=existing)
    say(
        f"{done.path}: image ({', '.join(done.image)}) to logits; onnxruntime's differ from "
        f"torch's by at most {done.largest_difference:.1g}"
    )
    lacking = "" if done.complete else "; some steps are named only, see its postprocessing"
    say(f"{done.pipeline}: the steps before and after it{lacking}")
