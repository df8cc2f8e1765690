"""`medseg train`: run a bundle's training, or list its config keys."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say

__all__ = ["train"]


def train(
    bundle: Annotated[
        Path, typer.Argument(help="The bundle's folder, or the name of an installed one.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE", help="Override keys of its config; with --keys, search words."
        ),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(help="Configs to merge, in order; repeat the option (default: train)."),
    ] = None,
    run_id: Annotated[str, typer.Option(help="Run id in the config.")] = "training",
    quick: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--quick", help="Trial run with three cases, in a minute or two.")
    ] = False,
    keys: Annotated[  # noqa: FBT002 - a command-line switch
        bool,
        typer.Option("--keys", help="List the keys, with value and meaning; run nothing."),
    ] = False,
) -> None:
    """Train a bundle, as `python -m monai.bundle run training` does.

    medseg train bundles/covid_lung_ct_unet3d dataset_dir=phantoms epochs=5

    medseg train bundles/covid_lung_ct_unet3d --keys augment

    Of an installed bundle, which is named instead, the output goes to runs/NAME, here.
    """
    from medseg.sharing.store.bundle_path import given_bundle

    given = given_bundle(bundle)
    configs = config or ["train"]
    if keys:
        _list_keys(given.path, configs, overrides or [])
        return
    pairs = [*(overrides or []), *(["quick=true"] if quick else [])]
    # What may not run is refused before torch and MONAI are imported, which takes seconds.
    from medseg.bundles.opened import open_configs

    open_configs(given.path, configs)
    if given.kept == "installed":
        pairs += _own_output(given.name, pairs)
    from medseg.bundles.run import run_bundle

    run_bundle(given.path, configs=configs, run_id=run_id, pairs=pairs)


def _own_output(name: str, pairs: Sequence[str]) -> list[str]:
    """An output folder for an installed bundle, which nothing is written into."""
    keys = {pair.partition("=")[0].replace("-", "_") for pair in pairs}
    if "output_dir" in keys:
        return []
    folder = Path.cwd() / "runs" / name
    say(f"{name} is installed, so it is left as it is; output_dir={folder}", to="errors")
    return [f"output_dir={folder}"]


def _list_keys(bundle: Path, configs: Sequence[str], words: Sequence[str]) -> None:
    from medseg.bundles.keys import bundle_keys, search_keys
    from medseg.bundles.opened import open_configs
    from medseg.cli.keys_table import print_keys
    from medseg.errors import UsageError

    opened = open_configs(bundle, configs)
    keys = bundle_keys(opened.merged, opened.texts)
    for word in words:
        keys = search_keys(keys, word)
    if not keys:
        raise UsageError(f"no key, component or meaning contains {' and '.join(map(repr, words))}")
    print_keys(keys)
