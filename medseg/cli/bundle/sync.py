"""`medseg bundle sync`: update the copies of recipes, common parts and manifests."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode

__all__ = ["sync"]


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
