"""Lines on standard output that may quote names of files, cases and classes."""

import typer

from medseg._text import printable

__all__ = ["say"]


def say(line: object) -> None:
    """Print one line, with control characters escaped."""
    typer.echo(printable(str(line)))
