"""`medseg bundle card`: update a bundle's model card."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode

__all__ = ["card"]


def card(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 on drift.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Write front matter and facts of docs/README.md anew; what was written by hand stays.

    medseg bundle card bundles/covid_lung_ct_unet3d
    """
    from medseg.bundles.configs import config_paths
    from medseg.sharing.describing.card import CARD, card_text, read_card_facts, update_card

    # A folder that is no bundle is refused as such.
    config_paths(bundle, [])
    path = bundle / CARD
    if not check:
        say(f"{path}: {'written' if update_card(bundle) else 'is as it should be'}")
        return
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if card_text(text, read_card_facts(bundle)) != text:
        say(f"{path}: differs from metadata and weights; update it by medseg bundle card {bundle}")
        raise typer.Exit(ExitCode.DATA)
