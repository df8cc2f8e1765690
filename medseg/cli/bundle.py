"""`medseg bundle`: keep bundles complete and true."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.errors import ExitCode

__all__ = ["app"]

app = typer.Typer(help="Keep bundles complete and true.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Makes typer keep the command's name while there is only one."""


@app.command()
def sync(
    repository: Annotated[Path, typer.Argument(help="Folder that holds bundles/.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 3 on drift.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Copy recipes and manifests into the bundles that name them."""
    # torch and MONAI take seconds to import; --help needs neither.
    from medseg.bundles import drifted_copies, sync_copies

    paths = drifted_copies(repository) if check else sync_copies(repository)
    for path in paths:
        typer.echo(f"{path}: {'differs from its original' if check else 'written'}")
    if check and paths:
        raise typer.Exit(ExitCode.DATA)
