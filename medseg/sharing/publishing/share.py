"""Share: a folder of packed bundles with an index, which any static web server can serve.

Nothing runs on its side: `index.json` for `medseg bundle install`, `index.html` for people, and
the zips. Both are written from the zips as they are, never from an earlier index.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from medseg._files import remove_remains, write_atomically
from medseg._locks import LOCK, locked
from medseg._text import printable
from medseg.bundles.judgement.judge import judge_tree
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.judgement.zips.zip_tree import ZipTree
from medseg.data.digest import file_sha256
from medseg.errors import DataError, MedsegError, UsageError
from medseg.sharing.describing.summary import summarise
from medseg.sharing.publishing.share_index import INDEX, PAGE, Entry, Index
from medseg.sharing.publishing.share_page import share_page
from medseg.sharing.store.contents import Contents, read_contents
from medseg.sharing.store.names import version_order

__all__ = ["Indexed", "publish_to_folder", "safe_contents", "write_index"]

_PATIENCE_SECONDS = 60.0
_LONGEST = 200
_MOST_LABELS = 1000


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """A share whose index was written.

    Attributes:
        index: What it lists.
        left_out: Why other zips of the folder are not listed, by name.
    """

    index: Index
    left_out: Mapping[str, str]


def write_index(folder: Path) -> Indexed:
    """Write the index of a share, for programs and for people.

    Zips that cannot be shared, as they are incomplete or refused, are left out of it.

    Args:
        folder: Of the share; it holds zips of packed bundles.

    Raises:
        UsageError: If there is no such folder.
        DataError: If it holds two bundles of one name and version.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give a folder of packed bundles")
    with _changes(folder):
        entries, left_out = _found(folder)
        return Indexed(index=_written(folder, entries), left_out=left_out)


def publish_to_folder(packed: Path, folder: Path) -> Entry:
    """Copy a packed bundle into a share and renew its index.

    Args:
        packed: A complete zip that is judged safe.
        folder: Of the share; created if only its last part is missing.

    Raises:
        UsageError: If the share has another content under that name and version.
        DataError: If the zip is incomplete or not safe.
    """
    tree, contents = packed_contents(packed)
    entry = _entry(packed, tree, contents)
    _require_safe(packed, entry.verdict)
    target = folder / f"{entry.name}-{entry.version}.zip"
    entry = entry.model_copy(update={"file": target.name})
    # With its parents, a wrong path would silently be a new share.
    folder.mkdir(exist_ok=True)
    with _changes(folder):
        entries, _ = _found(folder)
        for one in entries:
            if (one.name, one.version) == (entry.name, entry.version):
                _require_same(one, entry, folder)
                entry = one
        if entry not in entries:
            if target.exists():
                what = "is there already, and is no bundle to share"
                raise UsageError(f"{target}: {what}; remove it")
            _copy(packed, target, entry)
            entries.append(entry)
        _written(folder, entries)
    return entry


def _require_same(there: Entry, entry: Entry, folder: Path) -> None:
    if there.bundle_sha256 != entry.bundle_sha256:
        what = f"has {there.name}@{there.version} with another content, in {there.file}"
        raise UsageError(f"{folder}: {what}; a published version stays, so raise the version")


def safe_contents(packed: Path) -> Contents:
    """What a zip is that may be published.

    Raises:
        DataError: If it is incomplete or not safe.
    """
    tree, contents = packed_contents(packed)
    _require_safe(packed, judge_tree(tree).verdict)
    return contents


def _require_safe(packed: Path, verdict: str) -> None:
    if verdict != "safe":
        what = f"its verdict is {verdict}; only what is safe is published"
        raise DataError(f"{packed}: {what}: see medseg bundle inspect")


def packed_contents(packed: Path) -> tuple[ZipTree, Contents]:
    """A zip as `medseg bundle pack` makes it, and what it is, its files checked.

    Raises:
        DataError: If it is none, or incomplete.
    """
    if packed.is_dir():
        raise DataError(f"{packed}: is a folder; give the zip that medseg bundle pack makes of it")
    tree = ZipTree(packed)
    contents = read_contents(tree, name=tree.folder, where=str(packed))
    if contents.listed != "complete":
        raise DataError(f"{packed}: has {contents.listed}; pack the bundle by medseg bundle pack")
    return tree, contents


def _found(folder: Path) -> tuple[list[Entry], dict[str, str]]:
    """The bundles of a folder, and why its other zips are none to share."""
    entries: list[Entry] = []
    left_out: dict[str, str] = {}
    for path in _zips(folder):
        try:
            entry = _entry(path, *packed_contents(path))
        except MedsegError as error:
            left_out[path.name] = str(error)
            continue
        if entry.verdict == "refused":
            left_out[path.name] = f"{path}: refused; medseg bundle inspect says why"
            continue
        entries.append(entry)
    _require_distinct(folder, entries)
    return entries, left_out


def _written(folder: Path, entries: Iterable[Entry]) -> Index:
    ordered = sorted(entries, key=lambda one: (one.name, version_order(one.version)))
    index = Index(bundles=tuple(ordered))
    text = index.model_dump_json(indent=1)
    page = share_page(index)
    remove_remains(folder / INDEX, folder / PAGE)
    write_atomically(folder / INDEX, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))
    write_atomically(folder / PAGE, lambda path: path.write_text(page, encoding="utf-8"))
    return index


def _entry(path: Path, tree: BundleTree, contents: Contents) -> Entry:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,200}\.zip", path.name) is None:
        raise DataError(f"{path}: its name does not fit an address; rename it NAME-VERSION.zip")
    summary = summarise(tree)
    return Entry(
        name=contents.name,
        version=contents.version,
        file=path.name,
        size=path.stat().st_size,
        sha256=file_sha256(path),
        bundle_sha256=contents.sha256,
        task=_line(summary.task),
        images=_line(summary.image),
        labels=tuple(map(_line, summary.labels[:_MOST_LABELS])),
        licence=_line(", ".join(summary.licences["bundle"])),
        data_licence=_line(", ".join(summary.licences["data"])),
        verdict=judge_tree(tree).verdict,
        signature=_line(str(contents.signature)),
    )


def _line(text: str) -> str:
    return printable(" ".join(text.split()))[:_LONGEST]


def _zips(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.zip") if not path.name.startswith("."))


def _changes(folder: Path) -> AbstractContextManager[None]:
    return locked(folder / LOCK, what=str(folder), patience_seconds=_PATIENCE_SECONDS)


def _require_distinct(folder: Path, entries: Iterable[Entry]) -> None:
    seen: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        other = seen.setdefault((entry.name, entry.version), entry)
        if other is not entry:
            what = f"{other.file} and {entry.file} are both {entry.name}@{entry.version}"
            raise DataError(f"{folder}: {what}; remove one of them")


def _copy(packed: Path, target: Path, entry: Entry) -> None:
    remove_remains(target)
    write_atomically(target, lambda path: copyfile(packed, path))
    if file_sha256(target) != entry.sha256:
        # It was changed after it was judged.
        target.unlink()
        raise DataError(f"{packed}: has changed while it was copied; publish it again")
