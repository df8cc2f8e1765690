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

from medseg._locks import locked, remove_unheld
from medseg._text import printable
from medseg.bundles.judgement.judge import judge_tree
from medseg.bundles.judgement.tree import FolderTree
from medseg.bundles.judgement.verdict import Judgement
from medseg.bundles.judgement.zips.zip_tree import ZipTree, extract
from medseg.errors import DataError, RefusedError, UsageError
from medseg.sharing.signing.trusted_keys import trusted_keys
from medseg.sharing.sources.download import remove_download, remove_old_downloads
from medseg.sharing.sources.fetch import fetch, find
from medseg.sharing.sources.source import Source
from medseg.sharing.store.contents import Contents, read_contents
from medseg.sharing.store.installed import Record, SourceRecord
from medseg.sharing.store.staging import make_read_only
from medseg.sharing.store.store import (
    Installed,
    downloads_folder,
    installed_bundles,
    place,
    remove_installed,
    staging,
    write_record,
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
    source: Source,
    *,
    signed_by: str | None = None,
    accept: Callable[[Record], None] = lambda record: None,
    fetching: Callable[[Source], None] = lambda found: None,
) -> Installation:
    """Install a bundle.

    A bundle that is there already is verified and judged again; if it was damaged, it is replaced.

    Args:
        source: Where it is.
        signed_by: Name of the trusted key that must have signed it.
        accept: Called before a bundle is placed that was not there; raises to refuse it.
        fetching: Called before a bundle is fetched that is not there.

    Raises:
        UsageError: If there is nothing, or no trusted key has that name.
        DataError: If it is no sound bundle, or not the one that its digest or its signer says.
        RefusedError: If it is judged so that no trust suffices.
        MachineError: If it cannot be fetched.
        OSError: If the store cannot be written to.
    """
    _require_key(signed_by)
    found = find(source)
    wish = _Wish(source, found, signed_by, accept)
    with _sole(found):
        there = _already(found)
        if there is not None:
            return _placed(wish, FolderTree(there.folder), there.record.name, None)
        remove_old_downloads(downloads_folder())
        fetching(found)
        fetched = fetch(found, downloads_folder())
        try:
            with staging() as staged:
                unpacked, name = _unpacked(found, fetched, staged)
                return _placed(wish, FolderTree(unpacked), name, unpacked)
        finally:
            remove_download(fetched, downloads_folder())


def _require_key(signed_by: str | None) -> None:
    names = [] if signed_by is None else [key.name for key in trusted_keys()]
    if signed_by is not None and signed_by not in names:
        there = ", ".join(names) or "none"
        raise UsageError(f"no trusted key has the name {signed_by}; there are: {there}")


@dataclass(frozen=True)
class _Wish:
    source: Source
    found: Source
    signed_by: str | None
    accept: Callable[[Record], None]


def _placed(wish: _Wish, tree: FolderTree, name: str, unpacked: Path | None) -> Installation:
    """Verify and judge a bundle and place it; `unpacked` is None if it is in its place."""
    contents = read_contents(tree, name=name, where=wish.found.text)
    judgement = judge_tree(tree)
    _require_acceptable(wish, contents, judgement)
    record = _record(wish, contents, judgement)
    there = next((one for one in installed_bundles(record.name) if _is_same(one, record)), None)
    if unpacked is not None and there is None:
        wish.accept(record)
    if unpacked is not None and there is not None and not _is_intact(there):
        remove_installed([there])
        there = None
    whole = Path() if unpacked is None else _whole(unpacked, record)
    return Installation(
        installed=place(whole, record),
        done="installed" if there is None else "already installed",
        judgement=judgement,
    )


def _whole(unpacked: Path, record: Record) -> Path:
    """A folder as it is to be in the store."""
    whole = unpacked.with_name("whole")
    whole.mkdir()
    write_record(whole, record)
    make_read_only(unpacked.rename(whole / record.name))
    return whole


def _is_same(one: Installed, record: Record) -> bool:
    return (one.record.version, one.record.sha256) == (record.version, record.sha256)


@contextmanager
def _sole(found: Source) -> Generator[None]:
    """Keep others from fetching the same file meanwhile."""
    name = hashlib.sha256(found.text.encode(errors="surrogateescape")).hexdigest()[:16]
    path = downloads_folder() / f"{name}.lock"
    remove_unheld(downloads_folder(), "*.lock")
    with locked(path, what=found.text, patience_seconds=_PATIENCE_SECONDS):
        yield


def _already(found: Source) -> Installed | None:
    """The bundle of the same zip, if it is installed and undamaged."""
    if found.sha256 is None:
        return None
    there = (one for one in installed_bundles() if one.record.source.sha256 == found.sha256)
    return next(filter(_is_intact, there), None)


def _is_intact(there: Installed) -> bool:
    record = there.record
    try:
        now = read_contents(FolderTree(there.folder), name=record.name, where=str(there.folder))
    except DataError:
        return False
    return now.sha256 == record.sha256


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


def _require_acceptable(wish: _Wish, contents: Contents, judgement: Judgement) -> None:
    where = wish.found.text
    if wish.signed_by not in (None, contents.signed_by):
        raise DataError(
            f"{where}: {contents.signature}; it was to be signed by {wish.signed_by}, so ask "
            "whoever sent it"
        )
    if judgement.verdict == "refused":
        refused = [place for place in judgement.places if place.grade == "refused"]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise RefusedError(
            f"{where}: refused, and not installed: {refused[0]}{more}; medseg bundle inspect "
            "lists all places"
        )
    _require_same_signer(contents, where)
    near = {
        one.record.name
        for one in installed_bundles()
        if one.record.name.casefold() == contents.name.casefold()
    } - {contents.name}
    if near:
        what = f"its name, {contents.name}, differs from the installed {min(near)} in case alone"
        raise DataError(f"{where}: {what}; remove that one first if this is meant")


def _require_same_signer(contents: Contents, where: str) -> None:
    """Refuse what would be taken, by its name, for the work of whoever signed the installed one."""
    signers = {one.record.signed_by for one in installed_bundles(contents.name)} - {None}
    if signers and contents.signed_by not in signers:
        name = contents.name
        what = (
            f"{contents.signature}, but the installed {name} is signed by {min(map(str, signers))}"
        )
        raise DataError(
            f"{where}: {what}; `medseg bundle remove {name}` first if this is to take its place"
        )


def _record(wish: _Wish, contents: Contents, judgement: Judgement) -> Record:
    found = wish.found
    return Record(
        name=contents.name,
        version=contents.version,
        sha256=contents.sha256,
        size=contents.size,
        source=SourceRecord(
            asked=printable(wish.source.text), found=printable(found.text), sha256=found.sha256
        ),
        listed=contents.listed,
        signed_by=contents.signed_by,
        signature=str(contents.signature),
        verdict=judgement.verdict,
        places=len(judgement.places),
        installed=datetime.now(UTC).replace(microsecond=0),
    )
