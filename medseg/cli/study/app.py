"""`medseg study`: what each choice is worth, with its noise and its cost."""

import typer

from medseg.cli.study.history import history
from medseg.cli.study.lottery import lottery
from medseg.cli.study.prune import prune
from medseg.cli.study.run import run

__all__ = ["app"]

app = typer.Typer(help="Find out what each choice is worth.", no_args_is_help=True)
app.command()(run)
app.command()(history)
app.command()(prune)
app.command()(lottery)


@app.callback()
def _group() -> None:
    """Keep the names of the commands, however few there are."""
