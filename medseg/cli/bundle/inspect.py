"""`medseg bundle inspect`: what a bundle is and whether it is safe to run, in one screen."""

import json
from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode

__all__ = ["inspect"]

_CODES = {
    "safe": ExitCode.DONE,
    "needs trust": ExitCode.NEEDS_TRUST,
    "refused": ExitCode.REFUSED,
}


def inspect(
    bundle: Annotated[
        Path, typer.Argument(help="A bundle: its folder, its zip, or its name if it is installed.")
    ],
    every: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--all", help="Tell every place, not the first ones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Tell what a bundle is and judge it; nothing of it is executed, imported or unpacked.

    Exit code 0: safe, it is plain data on the list. 10: needs trust, each place that does is told.
    11: refused.

    medseg bundle inspect covid_lung_ct_unet3d-0.6.0.zip
    """
    from medseg.sharing.describing.inspection import inspect_bundle, inspection_json
    from medseg.sharing.describing.inspection_lines import inspection_lines
    from medseg.sharing.store.bundle_path import bundle_path

    inspection = inspect_bundle(bundle_path(bundle))
    if as_json:
        say(json.dumps(inspection_json(inspection)))
    else:
        for line in inspection_lines(inspection, places="all" if every else "first"):
            say(line)
    raise typer.Exit(_CODES[inspection.judgement.verdict])
