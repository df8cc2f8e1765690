"""`medseg bundle`: make bundles and share them."""

import typer

from medseg.cli.bundle.card import card
from medseg.cli.bundle.export import export
from medseg.cli.bundle.halve import halve
from medseg.cli.bundle.inspect import inspect
from medseg.cli.bundle.pack import pack
from medseg.cli.bundle.sync import sync

__all__ = ["app"]

app = typer.Typer(help="Make bundles and share them.", no_args_is_help=True)
app.command()(card)
app.command()(sync)
app.command()(export)
app.command()(halve)
app.command()(pack)
app.command()(inspect)
