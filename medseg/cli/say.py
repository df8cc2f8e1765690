"""Lines on a terminal that may quote names of files, cases and classes."""

from typing import Literal

import typer

from medseg._text import printable

__all__ = ["say"]


def say(line: object, *, to: Literal["output", "errors"] = "output") -> None:
    """Print one line, with control characters escaped, on standard output or standard error."""
    typer.echo(printable(str(line)), err=to == "errors")
