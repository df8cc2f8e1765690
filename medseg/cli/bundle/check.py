"""`medseg bundle check`: whether a bundle keeps MONAI's contract."""

import json
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode

__all__ = ["check"]


def check(
    bundle: Annotated[Path, typer.Argument(help="A bundle: its folder, zip, or installed name.")],
    schema: Annotated[
        Path | None,
        typer.Option(help="A copy of MONAI's meta_schema_*.json, for MONAI's verify_metadata."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Check a bundle against what MONAI's tools expect of one; needs no network connection.

    Its files, the rules of metadata.json, the properties of its workflows, the traps of the config
    language, and MONAI's own verify_net_in_out. One line for each breach, and exit code 3.

    medseg bundle check bundles/covid_lung_ct_unet3d
    """
    from medseg.bundles.contract import check_contract
    from medseg.sharing.golden.unpacked import unpacked
    from medseg.sharing.store.bundle_path import bundle_path

    with unpacked(bundle_path(bundle)) as folder:
        breaches = check_contract(folder, schema)
    if as_json:
        found = [{"file": one.file, "text": one.text} for one in breaches]
        say(json.dumps({"bundle": str(bundle), "breaches": found}))
    else:
        for breach in breaches:
            say(f"{bundle}/{breach}")
        if not breaches:
            say(f"{bundle}: keeps MONAI's contract")
    if breaches:
        raise typer.Exit(ExitCode.DATA)
