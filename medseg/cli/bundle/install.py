"""`medseg bundle install` and `update`: bundles into the store, and newer versions of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import ExitCode, user_error

if TYPE_CHECKING:
    from medseg.sharing.sources.source import Source
    from medseg.sharing.store.install import Installation

__all__ = ["install", "update"]


def install(
    source: Annotated[
        str,
        typer.Argument(
            help="A zip, a bundle's folder, https://HOST/FILE.zip with --sha256, "
            "share:PLACE#NAME; with --from, NAME or NAME@VERSION.",
        ),
    ],
    share: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SHARE",
            help="A share, by folder or https:// address, to take the bundle NAME from.",
        ),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="SHA-256 that the zip must have.")
    ] = None,
    signed_by: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Name of the trusted key that must have signed it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,  # noqa: FBT002 - a command-line switch
) -> None:
    """Verify and judge a bundle and install it, to be used by its name from anywhere.

    medseg bundle install covid_lung_ct_unet3d-0.4.1.zip

    medseg bundle install covid_lung_ct_unet3d --from https://bundles.example.org

    medseg predict covid_lung_ct_unet3d scan.nii.gz -o labels
    """
    from medseg.sharing.sources.source import parse_source
    from medseg.sharing.store.install import install as install_bundle

    found = parse_source(source, sha256=sha256, share=share)
    done = install_bundle(found, signed_by=signed_by, fetching=_tell_fetching)
    if as_json:
        typer.echo(done.installed.record.model_dump_json(indent=1))
    else:
        _tell(done)


def update(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all of them.")
    ] = None,
) -> None:
    """Install newer versions of installed bundles, from where these came from.

    The older version stays until it is removed; trust in it is not trust in the newer one.

    medseg bundle update covid_lung_ct_unet3d
    """
    from medseg.sharing.store.store import installed_bundles

    if names:
        for name in names:
            _update(name)
        return
    failed = 0
    for name in dict.fromkeys(one.record.name for one in installed_bundles()):
        try:
            _update(name)
        except Exception as error:
            users = user_error(error)
            if users is None:
                raise
            # The sources of the others may well be there.
            say(f"failed: {users}", to="errors")
            failed += 1
    if failed:
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)


def _update(name: str) -> None:
    from medseg.sharing.store.store import find_installed
    from medseg.sharing.store.update import update as update_bundle

    done = update_bundle(find_installed(name), fetching=_tell_fetching)
    if done.after is None:
        say(f"{done.before.name}: nothing newer at {done.before.record.source.asked}")
        return
    say(f"{done.before.name}: now {done.after.installed.name}")
    for line in done.changes:
        say(f"  {line}")
    _tell(done.after)


def _tell_fetching(found: "Source") -> None:
    from medseg.sharing.describing.size_words import size_words

    if found.scheme != "path":
        size = "" if found.size is None else f" ({size_words(found.size)})"
        say(f"fetching {found.text}{size}", to="errors")


def _tell(done: "Installation") -> None:
    from medseg.sharing.describing.size_words import size_words

    record = done.installed.record
    size = size_words(record.size)
    say(f"{done.done}: {done.installed.name} ({size}, sha256 {record.sha256})")
    complete = record.listed == "complete"
    say(f"files: {'complete, as its list of digests says' if complete else record.listed}")
    say(f"signature: {record.signature}")
    name = done.installed.name
    if done.judgement.verdict == "safe":
        say("verdict: safe")
        return
    places = len(done.judgement.places)
    say(
        f"verdict: {done.judgement.verdict}, for {places} place{'s' if places > 1 else ''}: see "
        f"medseg bundle inspect {name}, then medseg bundle trust {name}"
    )
