"""`medseg bundle`: make bundles and share them."""

import typer

from medseg.cli.bundle.card import card
from medseg.cli.bundle.check import check
from medseg.cli.bundle.export import export
from medseg.cli.bundle.halve import halve
from medseg.cli.bundle.inspect import inspect
from medseg.cli.bundle.install import install, update
from medseg.cli.bundle.installed import list_installed, remove
from medseg.cli.bundle.keys import app as keys
from medseg.cli.bundle.new import new
from medseg.cli.bundle.pack import pack
from medseg.cli.bundle.share import index, publish
from medseg.cli.bundle.sign import sign
from medseg.cli.bundle.sync import sync
from medseg.cli.bundle.trial import trial
from medseg.cli.bundle.trust import trust
from medseg.cli.bundle.verify import verify

__all__ = ["app"]

app = typer.Typer(help="Make bundles and share them.", no_args_is_help=True)
app.command()(new)
app.command()(card)
app.command()(sync)
app.command()(export)
app.command()(halve)
app.command()(inspect)
app.command()(install)
app.command("list")(list_installed)
app.command()(remove)
app.command()(update)
app.command()(index)
app.command()(publish)
app.command()(sign)
app.command()(verify)
app.command(name="test")(trial)
app.command()(check)
app.add_typer(keys, name="keys")
app.command()(pack)
app.command()(trust)
