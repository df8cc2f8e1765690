"""`medseg bundle keys`: keys that sign bundles, and those whose signatures are trusted."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from medseg.cli.bundle.passphrase import PassphraseFile, new_passphrase
from medseg.cli.say import say

if TYPE_CHECKING:
    from medseg.sharing.signing.trusted_keys import TrustedKey

__all__ = ["app"]

app = typer.Typer(
    help="Make keys that sign bundles, and say whose signatures are trusted.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="What you call the key or its owner, e.g. radiology.")]


@app.command()
def new(
    name: Name,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the two files.")
    ] = Path(),
    curve: Annotated[
        Literal["P-256", "P-384", "P-521"], typer.Option(help="The elliptic curve.")
    ] = "P-256",
    passphrase: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--passphrase", help="Encrypt the private key; asks for a passphrase.")
    ] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a pair of keys, NAME.key to sign and NAME.pub to give away, and trust it here.

    medseg bundle keys new radiology
    """
    from medseg.sharing.signing.keys import new_key_pair
    from medseg.sharing.signing.trusted_keys import add_key, require_free_name

    require_free_name(name)
    wanted = passphrase or passphrase_file is not None
    secret = new_passphrase(passphrase_file) if wanted else ""
    pair = new_key_pair(output, name, curve=curve, passphrase=secret)
    add_key(name, pair.public)
    say(f"{pair.private}: the private key, for you alone; `medseg bundle sign --key` takes it")
    say(f"{pair.public}: the public key; who gets it trusts it by `medseg bundle keys add {name}`")
    say(f"trusted here as {name}, fingerprint {pair.fingerprint}")


@app.command()
def add(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Public key, or an authority's certificate, PEM.")],
) -> None:
    """Trust the signatures by a key, or by all certificates that an authority has issued.

    Compare the fingerprint with its owner first, by telephone or on paper.

    medseg bundle keys add radiology radiology.pub
    """
    from medseg.sharing.signing.trusted_keys import add_key

    say(f"trusted: {_told(add_key(name, file))}")


@app.command(name="list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """List the trusted keys."""
    from medseg.sharing.signing.trusted_keys import trusted_keys

    keys = trusted_keys()
    if as_json:
        say(json.dumps([_json(key) for key in keys]))
        return
    for key in keys:
        say(_told(key))
    if not keys:
        say("no key is trusted; `medseg bundle keys add NAME FILE` adds one")


@app.command()
def remove(name: Name) -> None:
    """Trust a key no longer."""
    from medseg.sharing.signing.trusted_keys import remove_key

    say(f"no longer trusted: {_told(remove_key(name))}")


def _told(key: "TrustedKey") -> str:
    ends = "" if key.ends is None else f", until {key.ends:%Y-%m-%d}"
    return f"{key.name}: {key.kind} {key.about}{ends}, fingerprint {key.fingerprint}"


def _json(key: "TrustedKey") -> dict[str, object]:
    return {
        "name": key.name,
        "kind": key.kind,
        "about": key.about,
        "fingerprint": key.fingerprint,
        "ends": None if key.ends is None else key.ends.isoformat(),
    }
