"""`medseg bundle new`: a bundle of the user's own from another one's recipe, nothing measured."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say

__all__ = ["new"]


def new(
    folder: Annotated[Path, typer.Argument(help="The bundle to write; its name is the folder's.")],
    base: Annotated[
        Path, typer.Option("--from", help="A bundle's folder, or an installed one's name.")
    ],
    label_names: Annotated[
        str, typer.Option(help="Names of the label values, from 0: 'background,tumour'.")
    ] = "",
    manifest: Annotated[
        Path | None, typer.Option(help="Manifest of your cases, of medseg data manifest.")
    ] = None,
    dataset_dir: Annotated[
        Path | None, typer.Option(help="Folder of its files (default: the manifest's).")
    ] = None,
) -> None:
    """Write a new bundle with another one's recipe, network and training, and your own names.

    medseg bundle new mytask --from bundles/hippocampus_mri_unet3d --manifest data/manifest.json

    `medseg plan` chooses recipe and numbers by your data instead.
    """
    from medseg.bundles.writing.from_bundle import Own, from_bundle
    from medseg.bundles.writing.own_manifest import own_manifest
    from medseg.bundles.writing.write import bundle_name, require_new, write_bundle
    from medseg.data.known_folders import remember
    from medseg.sharing.describing.card import update_card
    from medseg.sharing.store.bundle_path import given_bundle

    name = bundle_name(folder)
    require_new(folder)
    given = given_bundle(base).path
    names = tuple(part.strip() for part in label_names.split(",")) if label_names else ()
    own = Own(name=name, manifest=own_manifest(given, name, names, manifest))
    write_bundle(folder, from_bundle(given, own))
    update_card(folder)
    if manifest is not None:
        place = (dataset_dir or manifest.parent).absolute()
        remember(folder / "configs" / f"{own.manifest.name}.json", {"dataset_dir": str(place)})
    say(f"{folder} written, version 0.1.0, without weights. Next:")
    say(f"  medseg train {folder}{'' if manifest else ' dataset_dir=DIR'}")
