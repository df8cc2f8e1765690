"""Zip of a bundle: its files read without unpacking it, and unpacked whole or not at all."""

import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from medseg._text import printable
from medseg.bundles.judgement.files.entry_names import name_clashes, name_problem
from medseg.bundles.judgement.tree import BundleTree, Entry, Kind
from medseg.bundles.judgement.zips.zip_data import unpacked
from medseg.bundles.judgement.zips.zip_end import UnsafeZipError
from medseg.bundles.judgement.zips.zip_layout import Member, read_members
from medseg.errors import DataError, UsageError

__all__ = ["ZipTree", "extract"]

# Set-user and set-group: programs that run as somebody else.
_PRIVILEGES = stat.S_ISUID | stat.S_ISGID


class ZipTree:
    """The files of a zip that holds one bundle, in one folder; paths are those in that folder."""

    def __init__(self, path: str | Path) -> None:
        """Reads the directory of the zip; nothing is unpacked.

        Raises:
            DataError: If it cannot be read, is no zip, or does not hold one folder.
            UnsafeZipError: If readers differ about what it holds, or names of it lead elsewhere.
        """
        self._path = Path(path)
        with self._opened() as file:
            self._identity = _identity(file)
            members = read_members(file, str(path))
        _require_names(members, str(path))
        self._folder = _top_folder(members, str(path))
        self._members = {
            member.name.partition("/")[2]: member
            for member in sorted(members, key=lambda member: member.name)
            if not member.name.endswith("/")
        }
        self._entries = {path: Entry(_kind(m), m.size) for path, m in self._members.items()}

    @property
    def name(self) -> str:
        """The zip's path, as it was given."""
        return str(self._path)

    @property
    def folder(self) -> str:
        """Name of the folder in the zip."""
        return self._folder

    @property
    def entries(self) -> Mapping[str, Entry]:
        """See `BundleTree`."""
        return self._entries

    def read(self, path: str, at_most: int) -> bytes:
        """See `BundleTree`."""
        if self._regular(path).size > at_most:
            raise DataError(f"{self._path}/{path}: is larger than {at_most:,} bytes")
        return b"".join(self.chunks(path))

    def chunks(self, path: str) -> Generator[bytes]:
        """See `BundleTree`."""
        member = self._regular(path)
        with self._opened() as file:
            if _identity(file) != self._identity:
                raise DataError(f"{self._path}: has changed since it was opened; begin again")
            try:
                yield from unpacked(file, member)
            except (OSError, zlib.error) as error:
                raise DataError(f"{self._path}/{path}: cannot be read ({error})") from error

    def _regular(self, path: str) -> Member:
        entry = self._entries.get(path)
        if entry is None or entry.kind != "file":
            raise DataError(f"{self._path}/{path}: is no regular file")
        return self._members[path]

    @contextmanager
    def _opened(self) -> Generator[BinaryIO]:
        try:
            # A pipe without a writer would be waited for.
            handle = os.open(self._path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            file = os.fdopen(handle, "rb")
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read ({error.strerror})") from error
        with file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DataError(f"{self._path}: is no regular file; give a zip")
            yield file


def extract(tree: BundleTree, folder: str | Path) -> None:
    """Copy a bundle's files into a fresh folder: all of them, or nothing.

    Args:
        tree: Of a zip or a folder; it holds regular files with good names alone.
        folder: Must not exist; its parent is created.

    Raises:
        DataError: If the tree holds links or special files, or cannot be read.
        UsageError: If `folder` exists.
        OSError: If it cannot be written, as on a full disk; nothing of it is left.
    """
    folder = Path(folder)
    _require_plain(tree)
    if os.path.lexists(folder):
        raise UsageError(f"{folder}: exists already; give a folder that does not")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Nobody else may write into it while it is filled; what is in it has the user's usual rights.
    temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
    try:
        filled = temporary / "bundle"
        filled.mkdir()
        for path in tree.entries:
            _copy(tree, path, filled / path)
        filled.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _copy(tree: BundleTree, path: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    room = tree.entries[path].size
    with target.open("xb") as file:
        for chunk in tree.chunks(path):
            room -= len(chunk)
            if room < 0:
                raise DataError(f"{tree.name}/{path}: has grown while it was read")
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _require_plain(tree: BundleTree) -> None:
    for path, entry in tree.entries.items():
        if entry.kind != "file":
            raise DataError(f"{tree.name}/{printable(path)}: is a link or a special file")
        problem = name_problem(path)
        if problem:
            raise DataError(f"{tree.name}/{printable(path)}: {problem}")
    for path, other in name_clashes(tree.entries):
        raise DataError(f"{tree.name}: {path!a} is {other!a} on some systems")


def _require_names(members: tuple[Member, ...], where: str) -> None:
    names = [member.name.removesuffix("/") for member in members]
    for name in names:
        problem = name_problem(name)
        if problem:
            raise UnsafeZipError(f"{where}: entry {ascii(name)[:100]}: {problem}")
    files = [m.name for m in members if not m.name.endswith("/")]
    # A folder may be stated, and is made by its files' paths as well.
    within = [f"{m.name}*" for m in members if m.name.endswith("/")]
    for name, other in name_clashes([*files, *within]):
        raise UnsafeZipError(
            f"{where}: entry {ascii(name.removesuffix('*'))[:100]} is "
            f"{ascii(other.removesuffix('*'))[:100]} on some systems, or is there twice"
        )


def _top_folder(members: tuple[Member, ...], where: str) -> str:
    tops = {member.name.partition("/")[0] for member in members}
    loose = any("/" not in member.name for member in members)
    if len(tops) != 1 or loose:
        found = ", ".join(printable(top)[:40] for top in sorted(tops)[:3]) or "nothing"
        raise DataError(
            f"{where}: holds {found} at its top; a bundle's zip has one folder there, with the "
            "bundle's files in it"
        )
    return tops.pop()


def _kind(member: Member) -> Kind:
    kind = stat.S_IFMT(member.mode)
    if kind == stat.S_IFLNK:
        return "link"
    return "file" if kind in (0, stat.S_IFREG) and not member.mode & _PRIVILEGES else "special"


def _identity(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
