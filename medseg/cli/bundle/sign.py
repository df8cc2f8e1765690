"""`medseg bundle sign`: sign a packed bundle."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.bundle.passphrase import PassphraseFile, passphrase_for
from medseg.cli.say import say

__all__ = ["sign"]


def sign(  # noqa: PLR0913 - the options of a command
    bundle: Annotated[Path, typer.Argument(help="A packed bundle: its zip, or its folder.")],
    key: Annotated[Path, typer.Option(help="The private key, PEM: NAME.key of `keys new`.")],
    certificate: Annotated[
        Path | None, typer.Option(help="An institution's certificate for the key, PEM.")
    ] = None,
    chain: Annotated[
        list[Path] | None,
        typer.Option(help="Certificates between that and the root, PEM; can be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The signed zip (default: itself)."),
    ] = None,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace a signature, or the file of -o.")
    ] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Sign a packed bundle, in the OpenSSF model-signing form: `model.sig` is written into it.

    medseg bundle sign covid_lung_ct_unet3d-0.6.0.zip --key radiology.key
    """
    from medseg.sharing.signing.sign import SigningKey, sign_bundle

    signing = SigningKey(
        key=key,
        passphrase=passphrase_for(key, passphrase_file),
        certificate=certificate,
        chain=chain or (),
    )
    existing = "replace" if overwrite else "refuse"
    done = sign_bundle(bundle, signing, output=output, existing=existing)
    say(f"{done.path}: signed by the key with fingerprint {done.fingerprint}")
