"""`medseg bundle list` and `remove`: the installed bundles."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import UsageError

if TYPE_CHECKING:
    from medseg.sharing.store.store import Installed

__all__ = ["list_installed", "remove"]


def list_installed(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """List the installed bundles, with what was found when they were installed."""
    from medseg.sharing.describing.size_words import size_words
    from medseg.sharing.store.store import installed_bundles, store_folder

    there = installed_bundles()
    if as_json:
        rows = [{**one.record.model_dump(mode="json"), "folder": str(one.folder)} for one in there]
        typer.echo(json.dumps(rows, indent=1))
        return
    for one in there:
        record = one.record
        facts = (
            size_words(record.size),
            record.verdict,
            "complete" if record.listed == "complete" else record.listed,
            record.signature,
            f"from {record.source.asked}",
        )
        say(f"{one.full_name}: {', '.join(facts)}")
    if not there:
        say(f"none is installed in {store_folder()}", to="errors")


def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME[@VERSION]...", help="Names, as list shows them.")
    ],
) -> None:
    """Remove installed bundles; NAME@VERSION if several versions are installed.

    medseg bundle remove covid_lung_ct_unet3d@0.4.0
    """
    from medseg.sharing.store.store import matching_bundles, remove_installed

    chosen: dict[str, Installed] = {}
    for name in names:
        there = matching_bundles(name)
        if len(there) > 1:
            versions = {one.record.version for one in there}
            several = [one.name if len(versions) == len(there) else one.full_name for one in there]
            raise UsageError(f"{name}: say which one to remove: {', '.join(several)}")
        chosen[there[0].full_name] = there[0]
    remove_installed(list(chosen.values()))
    for full_name in chosen:
        say(f"removed: {full_name}")
