"""File tree: the files below a folder with links followed, and what in it is no readable file.

Data sets of git-annex and DataLad consist of links, and studies are often assembled from links to
folders. What a link leads to belongs to the tree. A link to nothing stands for a file that is
missing, and whoever reads the tree has to say so.
"""

import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FETCH", "Tree", "walk_tree"]

FETCH = "fetch them (git annex get, datalad get), or remove the links"


@dataclass(frozen=True)
class Tree:
    """Entries below a folder, without hidden ones; all sorted, with the folder's path in front.

    Attributes:
        files: Regular files, and links to them.
        missing: Links to nothing, or to themselves.
        closed: Folders that cannot be listed.
        special: Pipes, devices and sockets.
    """

    files: tuple[Path, ...]
    missing: tuple[Path, ...]
    closed: tuple[Path, ...]
    special: tuple[Path, ...]


@dataclass
class _Search:
    """A search under way: what it has found, and the folders it still has to list."""

    files: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])
    closed: list[str] = field(default_factory=list[str])
    special: list[str] = field(default_factory=list[str])
    folders: deque[str] = field(default_factory=deque[str])
    linked: deque[str] = field(default_factory=deque[str])


def walk_tree(folder: str | Path) -> Tree:
    """Find all files below a folder, in linked folders too.

    A folder that is reached more than once is searched once, below its own name rather than a
    link's; links to the folder itself or to one that holds it are loops and are ignored. Hidden
    files and folders, and `__MACOSX`, are left out.
    """
    root = Path(folder)
    # Of links to what holds the folder, only the rest of that would be new.
    seen = {_identity(str(path)) for path in root.resolve().parents}
    search = _Search(folders=deque([str(root)]))
    while search.folders or search.linked:
        here = search.folders.popleft() if search.folders else search.linked.popleft()
        identity = _identity(here)
        if identity in seen:
            continue
        seen.add(identity)
        _list(here, search)
    lists = (search.files, search.missing, search.closed, search.special)
    return Tree(*(tuple(sorted(map(Path, found))) for found in lists))


def _list(folder: str, search: _Search) -> None:
    try:
        entries = sorted(_shown(folder), key=lambda entry: entry.name)
    except OSError:
        search.closed.append(folder)
        return
    for entry in entries:
        _kind(entry, search).append(entry.path)


def _shown(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name != "__MACOSX":
                yield entry


def _kind(entry: os.DirEntry[str], search: _Search) -> list[str] | deque[str]:
    """The list that an entry belongs to."""
    try:
        if entry.is_file():
            return search.files
        if entry.is_dir():
            return search.linked if entry.is_symlink() else search.folders
        return search.special if stat.S_IFMT(entry.stat().st_mode) else search.missing
    except OSError:  # a link to nothing, to itself, or through a folder that is closed
        return search.missing


def _identity(path: str) -> object:
    try:
        found = os.stat(path)  # noqa: PTH116 - for the text that scandir gives
    except OSError:
        return path
    return found.st_dev, found.st_ino
