"""`medseg bundle verify`: whether a packed bundle is complete, and who signed it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from medseg.sharing.signing.verify import Verification

__all__ = ["verify"]

_MOST_SHOWN = 20


def verify(
    bundle: Annotated[
        Path, typer.Argument(help="A packed bundle: its zip, its folder, or its name if installed.")
    ],
    signed_by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Exit 3 unless this trusted key signed it as it is."),
    ] = None,
    signed: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--signed", help="Exit 3 unless a trusted key did.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Read all files of a folder again.")] = False,  # noqa: FBT002 - a command-line switch
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Check every file against the list of digests, and the signature against the trusted keys.

    Exit code 0: complete; who signed it is told, and no signature is none the less 0. Exit code 3:
    changed, missing or added files, a signature that is broken or for other content, or not signed
    as --signed and --signed-by ask for. Of a folder that was verified before, only what has changed
    is read again.

    medseg bundle verify covid_lung_ct_unet3d-0.6.0.zip --signed-by radiology
    """
    from medseg.sharing.signing.trusted_keys import trusted_keys
    from medseg.sharing.signing.verify import verify as verified
    from medseg.sharing.store.bundle_path import bundle_path

    if signed_by is not None and signed_by not in (names := [k.name for k in trusted_keys()]):
        raise UsageError(
            f"--signed-by {signed_by}: no trusted key has this name; there are: "
            f"{', '.join(names) or 'none'}"
        )
    found = verified(bundle_path(bundle), reread="all" if full else "changed")
    refusal = _refusal(found, signed=signed, signed_by=signed_by)
    if as_json:
        say(json.dumps(_json(bundle, found)))
    else:
        _tell(bundle, found)
    if refusal:
        say(f"{bundle}: {refusal}", to="errors")
    if refusal or not found.intact:
        raise typer.Exit(ExitCode.DATA)


def _refusal(found: "Verification", *, signed: bool, signed_by: str | None) -> str | None:
    if signed_by is not None and found.signer != signed_by:
        return f"is not signed by {signed_by} as it is"
    if signed and found.signer is None:
        return "is not signed by a trusted key as it is"
    return None


def _tell(bundle: Path, found: "Verification") -> None:
    which = f"{found.name} {found.version}, sha256 {found.sha256}"
    if found.complete:
        say(f"{bundle}: complete: {which}, all {found.files} files as listed")
    else:
        say(f"{bundle}: incomplete: {which}")
    for word, paths in (
        ("changed", found.changed),
        ("missing", found.missing),
        ("added", found.added),
    ):
        for path in paths[:_MOST_SHOWN]:
            say(f"  {word}: {path}")
        if len(paths) > _MOST_SHOWN:
            say(f"  {word}: and {len(paths) - _MOST_SHOWN} more; --json lists all")
    say(f"{bundle}: {found.signature}")


def _json(bundle: Path, found: "Verification") -> dict[str, object]:
    return {
        "bundle": str(bundle),
        "name": found.name,
        "version": found.version,
        "sha256": found.sha256,
        "complete": found.complete,
        "intact": found.intact,
        "changed": found.changed,
        "missing": found.missing,
        "added": found.added,
        "signature": found.signature.state,
        "signer": found.signer,
        "about": found.signature.about,
    }
