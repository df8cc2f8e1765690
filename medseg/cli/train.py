"""`medseg train`: run a bundle's training, its overrides checked first."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]


def train(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Keys of its config.")
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(help="Configs to merge, in order; repeat the option (default: train)."),
    ] = None,
    run_id: Annotated[str, typer.Option(help="What of the config to run.")] = "training",
    quick: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--quick", help="A whole pass with three cases, to see that it works.")
    ] = False,
) -> None:
    """Train a bundle, as `python -m monai.bundle run training` does.

    medseg train bundles/covid_lung_ct_unet3d dataset_dir=phantoms epochs=5
    """
    # torch and MONAI take seconds to import; --help needs neither.
    from medseg.bundles.run import run_bundle

    pairs = [*(overrides or []), *(["quick=true"] if quick else [])]
    run_bundle(bundle, configs=config or ["train"], run_id=run_id, pairs=pairs)
