"""Installation of a bundle into the store: found, fetched, unpacked, verified, judged, placed.

Everything happens beside the store, and one rename ends it: a bundle is installed whole or not at
all, whatever fails or is killed on the way.
"""

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from medseg._files import write_atomically
from medseg._locks import locked
from medseg.bundles.judgement.judge import judge_folder
from medseg.bundles.judgement.tree import FolderTree
from medseg.bundles.judgement.verdict import Judgement
from medseg.bundles.judgement.zip_tree import ZipTree, extract
from medseg.errors import DataError, RefusedError
from medseg.sharing.contents import Contents, read_contents
from medseg.sharing.installed import RECORD, Record, SourceRecord
from medseg.sharing.sources.fetch import fetch, find
from medseg.sharing.sources.source import Source
from medseg.sharing.staging import make_read_only
from medseg.sharing.store import (
    Installed,
    downloads_folder,
    installed_bundles,
    place,
    staging,
)

__all__ = ["Installation", "install"]

# Another process may be fetching the same.
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What an installation did.

    Attributes:
        installed: The bundle.
        done: Whether it was there already.
        judgement: Of the bundle as it is now.
    """

    installed: Installed
    done: Literal["installed", "already installed"]
    judgement: Judgement


def install(
    source: Source, *, accept: Callable[[Record], None] = lambda record: None
) -> Installation:
    """Install a bundle.

    Args:
        source: Where it is.
        accept: Called before a bundle is placed that was not there; raises to refuse it.

    Raises:
        UsageError: If there is nothing.
        DataError: If it is no sound bundle, or not the one that its digest says.
        RefusedError: If it is judged so that no trust suffices.
        MachineError: If it cannot be fetched.
        OSError: If the store cannot be written to.
    """
    found = find(source)
    with _sole(found):
        there = _already(found)
        if there is not None:
            return _told(there, "already installed")
        fetched = fetch(found, downloads_folder())
        try:
            return _installed(source, found, fetched, accept)
        finally:
            if fetched.parent == downloads_folder():
                fetched.unlink(missing_ok=True)


def _installed(
    source: Source, found: Source, fetched: Path, accept: Callable[[Record], None]
) -> Installation:
    with staging() as folder:
        unpacked, name = _unpacked(found, fetched, folder)
        contents = read_contents(FolderTree(unpacked), name=name, where=found.text)
        judgement = judge_folder(unpacked)
        _require_acceptable(contents, judgement, found.text)
        record = _record(source, found, contents, judgement)
        accept(record)
        whole = folder / "whole"
        whole.mkdir()
        bundle = unpacked.rename(whole / contents.name)
        text = record.model_dump_json(indent=1)
        write_atomically(whole / RECORD, lambda path: path.write_text(f"{text}\n", "utf-8"))
        make_read_only(bundle)
        installed, new = place(whole, record)
    return Installation(
        installed=installed,
        done="installed" if new else "already installed",
        judgement=judgement,
    )


@contextmanager
def _sole(found: Source) -> Generator[None]:
    """Keep others from fetching the same file meanwhile."""
    name = hashlib.sha256(found.text.encode(errors="surrogateescape")).hexdigest()[:16]
    path = downloads_folder() / f"{name}.lock"
    with locked(path, what=found.text, patience_seconds=_PATIENCE_SECONDS):
        yield


def _already(found: Source) -> Installed | None:
    if found.sha256 is None:
        return None
    there = (one for one in installed_bundles() if one.record.source.sha256 == found.sha256)
    return next(there, None)


def _told(there: Installed, done: Literal["already installed"]) -> Installation:
    read_contents(FolderTree(there.folder), name=there.record.name, where=str(there.folder))
    return Installation(installed=there, done=done, judgement=judge_folder(there.folder))


def _unpacked(found: Source, fetched: Path, folder: Path) -> tuple[Path, str]:
    """The bundle in a folder of its own, and its name by its folder."""
    if fetched.is_dir():
        tree, name = FolderTree(fetched), fetched.resolve().name
    else:
        tree = ZipTree(fetched)
        name = tree.folder
    target = folder / "unpacked"
    try:
        extract(tree, target)
    except DataError as error:
        raise DataError(str(error).replace(str(fetched), found.text)) from error
    return target, name


def _require_acceptable(contents: Contents, judgement: Judgement, where: str) -> None:
    if judgement.verdict == "refused":
        refused = [place for place in judgement.places if place.grade == "refused"]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise RefusedError(
            f"{where}: refused, and not installed: {refused[0]}{more}; medseg bundle inspect "
            "lists all places"
        )
    near = {
        one.record.name
        for one in installed_bundles()
        if one.record.name.casefold() == contents.name.casefold()
    } - {contents.name}
    if near:
        what = f"its name, {contents.name}, differs from the installed {min(near)} in case alone"
        raise DataError(f"{where}: {what}; remove that one first if this is meant")


def _record(source: Source, found: Source, contents: Contents, judgement: Judgement) -> Record:
    return Record(
        name=contents.name,
        version=contents.version,
        sha256=contents.sha256,
        size=contents.size,
        source=SourceRecord(asked=source.text, found=found.text, sha256=found.sha256),
        listed=contents.listed,
        signed_by=None,
        verdict=judgement.verdict,
        places=len(judgement.places),
        installed=datetime.now(UTC).replace(microsecond=0),
    )
