"""Update of an installed bundle: from the source that it was installed from, if that has a newer.

The older version stays until it is removed. The newer one is judged by itself, and no trust is
carried over: trust is given to a digest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medseg.bundles.judgement.tree import FolderTree
from medseg.errors import DataError
from medseg.sharing.sources.source import Source, parse_source
from medseg.sharing.store.contents import all_digests, read_metadata_tree
from medseg.sharing.store.install import Installation, install
from medseg.sharing.store.installed import Record
from medseg.sharing.store.names import version_order
from medseg.sharing.store.store import Installed

__all__ = ["Update", "update"]


@dataclass(frozen=True, kw_only=True)
class Update:
    """What an update did.

    Attributes:
        before: The bundle that was installed.
        after: The newer one; None if the source has none.
        changes: What changed, one line each.
    """

    before: Installed
    after: Installation | None
    changes: tuple[str, ...]


class _NothingNewer(Exception):  # noqa: N818 - no error
    pass


def update(before: Installed, *, fetching: Callable[[Source], None] = lambda found: None) -> Update:
    """Install a newer version of a bundle, if its source has one.

    Args:
        before: The installed bundle.
        fetching: Called before anything is fetched.

    Raises:
        MedsegError: As of `install`, and if the newer one is not signed by the same key, or has
            the same version and another content.
    """
    record = before.record
    source = parse_source(record.source.asked, sha256=_pinned(record))

    def accept(after: Record) -> None:
        _require_newer(record, after)

    try:
        done = install(source, signed_by=record.signed_by, accept=accept, fetching=fetching)
    except _NothingNewer:
        return Update(before=before, after=None, changes=())
    after = done.installed
    if version_order(after.record.version) <= version_order(record.version):
        return Update(before=before, after=None, changes=())
    return Update(before=before, after=done, changes=tuple(_changes(before, after)))


def _pinned(record: Record) -> str | None:
    # An address is taken with its digest; a share, a tag or a branch may have another by then.
    moves = record.source.asked.startswith(("share:", "oci:", "hf:"))
    return None if moves else record.source.sha256


def _require_newer(before: Record, after: Record) -> None:
    if after.name != before.name:
        what = f"is now the bundle {after.name}, not {before.name}"
        raise DataError(f"{after.source.found}: {what}; install it by medseg bundle install")
    if version_order(after.version) < version_order(before.version):
        raise _NothingNewer
    if after.version == before.version:
        if after.sha256 == before.sha256:
            raise _NothingNewer
        what = f"has another content under the same version, {after.version}"
        raise DataError(f"{after.source.found}: {what}; ask its author why")


def _changes(before: Installed, after: Installed) -> list[str]:
    old, new = before.record, after.record
    lines = [f"{version}: {text}" for version, text in _changelog(after.folder, old, new)]
    if old.verdict != new.verdict:
        lines.append(f"verdict: {old.verdict} before, {new.verdict} now")
    if old.signature != new.signature:
        lines.append(f"signature: {old.signature} before, {new.signature} now")
    lines.append(_changed_files(before.folder, after.folder))
    return lines


def _changelog(folder: Path, old: Record, new: Record) -> list[tuple[str, str]]:
    """Entries of the changelog from the installed version to the new one, the newest first."""
    log: Any = read_metadata_tree(FolderTree(folder), str(folder)).get("changelog", {})
    if not isinstance(log, dict):
        return []
    span = (version_order(old.version), version_order(new.version))
    entries = cast("Mapping[str, Any]", log).items()
    between = [
        (version, str(text))
        for version, text in entries
        if _is_version(version) and span[0] < version_order(version) <= span[1]
    ]
    return sorted(between, key=lambda entry: version_order(entry[0]), reverse=True)


def _is_version(text: str) -> bool:
    return all(part.isascii() and part.isdigit() for part in text.split("."))


def _changed_files(before: Path, after: Path) -> str:
    old, new = all_digests(FolderTree(before)), all_digests(FolderTree(after))
    changed = sum(old[path] != new[path] for path in old.keys() & new.keys())
    added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    return f"files: {changed} changed, {added} added, {removed} removed"
