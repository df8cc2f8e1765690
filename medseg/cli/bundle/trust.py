"""`medseg bundle trust`: let a bundle run that is not safe, as it is now, or end that."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medseg.cli.say import say
from medseg.errors import NeedsTrustError, RefusedError, UsageError

if TYPE_CHECKING:
    from medseg.bundles.judgement.door import Judged

__all__ = ["trust"]

WORD = "trust"


def trust(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            help="The bundle's folder, or its name if it is installed; or a recipe or config "
            "outside any bundle."
        ),
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256", help="Trust it without a question, if this is its digest, all of it."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in words; kept beside the digest.")] = "",
    show: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--list", help="List what you have trusted.")
    ] = False,
    remove: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="End the trust in this; its first 8 digits suffice."),
    ] = None,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="With --list: as JSON.")
    ] = False,
) -> None:
    """Trust a bundle that could run code: show each place, ask, and remember its digest.

    Trust is yours alone, and ends when a byte changes of what the verdict depends on.

    medseg bundle trust spleen_ct --reason "read by A. B., ticket 123"
    """
    from medseg.bundles.judgement.trust import remove_trust

    if [bundle is not None, show, remove is not None].count(True) != 1:
        raise UsageError("give a bundle's folder, --list, or --remove DIGEST")
    if show:
        _list(as_json=as_json)
    elif remove is not None:
        entry = remove_trust(remove)
        say(f"{entry.name}: not trusted any more ({entry.digest})")
    elif bundle is not None:
        from medseg.bundles.opened import is_config_file
        from medseg.sharing.store.bundle_path import bundle_path

        config = is_config_file(bundle.name)
        _trust(bundle if config else bundle_path(bundle), digest, reason)


def _list(*, as_json: bool) -> None:
    from medseg.bundles.judgement.trust import trusted

    entries = trusted()
    if as_json:
        typer.echo(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=1))
        return
    if not entries:
        say("you have trusted nothing that is not safe")
    for entry in entries:
        by = f" by {entry.by}" if entry.by else ""
        reason = f": {entry.reason}" if entry.reason else ""
        say(f"{entry.digest}  {entry.date}{by}  {entry.name}{reason}")


def _trust(bundle: Path, digest: str | None, reason: str) -> None:
    from medseg.bundles.judgement.trust import add_trust

    judged = _judged(bundle)
    judgement = judged.judgement
    if judged.standing is not None:
        already = "is safe, and needs no trust" if judged.standing == "safe" else "is trusted"
        say(f"{bundle}: {already} ({judgement.digest})")
        return
    for place in judgement.places:
        say(f"{place.grade}: {place}")
    if judgement.verdict == "refused":
        raise RefusedError(f"{bundle}: refused, whoever trusts it, for what is listed as refused")
    say(f"{bundle}: its digest is {judgement.digest}")
    if digest is None:
        _ask(bundle, judgement.digest)
    elif digest != judgement.digest:
        raise UsageError(
            f"{bundle}: its digest is {judgement.digest}, not {digest:.80}; it is not what you "
            "looked at, or was changed since; look at it again"
        )
    add_trust(judgement.digest, name=str(bundle.resolve()), reason=reason)
    say(f"{bundle}: trusted, as it is now")


def _judged(bundle: Path) -> "Judged":
    from medseg.bundles.configs import config_paths
    from medseg.bundles.judgement.door import judge_config, judge_working
    from medseg.bundles.opened import is_config_file

    if is_config_file(bundle.name) and not bundle.is_dir():
        return judge_config(bundle)
    # Also says which bundles are beside a folder that is none.
    config_paths(bundle, [])
    return judge_working(bundle)


def _ask(bundle: Path, digest: str) -> None:
    if not sys.stdin.isatty():
        raise NeedsTrustError(
            f"{bundle}: nobody is there to be asked; look at the places above, and if you trust "
            f"them, add --digest {digest}"
        )
    say("What is listed above would run with your rights, on your files; nothing would hold it.")
    answer = typer.prompt(f"If you trust it, type {WORD}", default="", show_default=False)
    if answer.strip() != WORD:
        raise NeedsTrustError(f"{bundle}: not trusted")
