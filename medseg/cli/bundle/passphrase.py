"""Passphrase of a private key: from a file, or asked for on a terminal."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from medseg.errors import DataError, UsageError

__all__ = ["PassphraseFile", "new_passphrase", "passphrase_for"]

PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="File whose first line is the key's passphrase (default: asked for)."),
]


def passphrase_for(key: Path, file: Path | None) -> str:
    """The passphrase of a private key; empty if it is not encrypted.

    Raises:
        UsageError: If it is encrypted, and there is neither a file nor a terminal.
    """
    from medseg.sharing.signing.keys import read_key_file

    if file is not None:
        return _first_line(file)
    if b"ENCRYPTED" not in read_key_file(key):
        return ""
    if not sys.stdin.isatty():
        raise UsageError(f"{key}: is encrypted; give --passphrase-file, or run it on a terminal")
    return str(typer.prompt(f"Passphrase of {key}", hide_input=True, err=True))


def new_passphrase(file: Path | None) -> str:
    """The passphrase for a new key, asked for twice without a file."""
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise UsageError("a passphrase is asked for on a terminal; give --passphrase-file here")
    return str(
        typer.prompt(
            "Passphrase of the new key", hide_input=True, confirmation_prompt=True, err=True
        )
    )


def _first_line(file: Path) -> str:
    try:
        line = file.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise DataError(f"{file}: cannot be read, or is empty; its first line is taken") from error
    if not line:
        raise DataError(f"{file}: its first line is empty; it should be the passphrase")
    return line
