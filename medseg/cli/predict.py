"""`medseg predict`: volumes in, labels in their grid and a picture of each out."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from medseg.data.inputs import list_images
from medseg.data.intake import check_image
from medseg.data.naming import image_stem, label_path, overlay_path
from medseg.data.volume import read_volume
from medseg.errors import DataError, ExitCode, UsageError
from medseg.reports.overlay import MontageOptions, overlay_montage

__all__ = ["predict"]


def predict(  # noqa: PLR0913 - one parameter for each option
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    inputs: Annotated[list[Path], typer.Argument(help="NIfTI files, or folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the labels.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="Weights of a training (default: the bundle's models/)."),
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Key of its config.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace labels.")] = False,  # noqa: FBT002 - a command-line switch
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Predict a label for each volume, and an overlay to look at.

    medseg predict bundles/covid_lung_ct_unet3d scan.nii.gz -o labels
    """
    images = _images(inputs)
    _refuse_clashes(images, output, replace=overwrite)
    usable, refused = _sort_out(images)
    weights = (weights or bundle / "models" / "model.safetensors").resolve()
    if usable and not dry_run:
        # torch and MONAI take seconds to import; --help and wrong input need neither.
        from medseg.bundles import run_bundle

        run_bundle(
            bundle,
            configs=["inference"],
            run_id="inferring",
            pairs=override or [],
            overrides={
                "ckpt_path": str(weights),
                "datalist": [str(image) for image in usable],
                "output_dir": str(output.resolve()),
                "overwrite": "replace" if overwrite else "refuse",
            },
            log="quiet",
        )
    done = [_outcome(weights, image, output, draw=not dry_run) for image in usable]
    _tell(done, refused, as_json=as_json)
    if refused:
        raise typer.Exit(ExitCode.SOME_CASES_FAILED if usable else ExitCode.DATA)


def _images(inputs: Sequence[Path]) -> list[Path]:
    images: list[Path] = []
    for path in inputs:
        images += (
            # A link keeps its own name, which is the one the user knows it by.
            [Path(found) for found in list_images(path)] if path.is_dir() else [path.absolute()]
        )
    return images


def _refuse_clashes(images: Sequence[Path], output: Path, *, replace: bool) -> None:
    labels: dict[Path, Path] = {}
    for image in images:
        label = label_path(output, image.name)
        if label in labels:
            raise UsageError(
                f"{image} and {labels[label]} would both become {label}; predict them apart"
            )
        if label.exists() and not replace:
            raise UsageError(f"{label} is there already; give --overwrite or another -o")
        labels[label] = image


def _sort_out(images: Sequence[Path]) -> tuple[list[Path], dict[Path, str]]:
    usable: list[Path] = []
    refused: dict[Path, str] = {}
    for image in images:
        try:
            check_image(image)
            usable.append(image)
        except DataError as error:
            refused[image] = str(error)
    return usable, refused


def _outcome(weights: Path, image: Path, output: Path, *, draw: bool) -> dict[str, Any]:
    label = label_path(output, image.name)
    overlay = overlay_path(output, image.name)
    if draw:
        from medseg.networks import trained_setting

        volume = read_volume(image)
        values = read_volume(label, where="label").array
        # Weights that medseg did not train name no classes and no window.
        unnamed = [f"label {value}" for value in range(int(values.max()) + 1)]
        options = MontageOptions(
            case=image_stem(image),
            class_names=trained_setting(weights, "class_names", unnamed),
            window=trained_setting(weights, "window", None),
        )
        overlay_montage(volume.array, values, volume.affine, overlay, options)
    return {"image": str(image), "label": str(label), "overlay": str(overlay)}


def _tell(done: list[dict[str, Any]], refused: dict[Path, str], *, as_json: bool) -> None:
    if as_json:
        errors = [{"image": str(image), "error": error} for image, error in refused.items()]
        sys.stdout.write(json.dumps({"done": done, "failed": errors}, indent=2) + "\n")
        return
    out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True)
    for case in done:
        out.print(f"{case['label']}\n{case['overlay']}", markup=False)
    for error in refused.values():
        err.print(f"medseg: {error}", style="red", markup=False, highlight=False)
