"""Files of a bundle, in a folder or in a zip alike; nothing is followed or unpacked."""

import os
import stat
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from medseg.errors import DataError

__all__ = ["BundleTree", "Entry", "FolderTree", "Kind", "opened_regular", "read_regular"]

Kind = Literal["file", "link", "special"]
_FIRST_STEP, _STEP = 2**14, 2**20
# What was a file when it was listed may be a link by now, or a pipe, which would be waited for.
_AS_LISTED = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Entry:
    """A file of a bundle.

    Attributes:
        kind: `link` for symbolic links, `special` for pipes, devices and sockets.
        size: In bytes; unpacked, as the zip's directory has it.
    """

    kind: Kind
    size: int


class BundleTree(Protocol):
    """The files of a bundle: a `FolderTree`, or that of a zip."""

    @property
    def name(self) -> str:
        """What it is called in messages: the path of the folder or of the zip."""
        ...

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Every entry but folders, by its path in the bundle, with `/`, in sorted order."""
        ...

    def read(self, path: str, at_most: int) -> bytes:
        """The bytes of a regular file.

        Raises:
            DataError: If it is none, is larger than `at_most` bytes, or cannot be read.
        """
        ...

    def chunks(self, path: str) -> Generator[bytes]:
        """The bytes of a regular file of any size, in pieces of at most 1 MiB.

        Raises:
            DataError: If it is none, or cannot be read; perhaps after some pieces.
        """
        ...


class FolderTree:
    """The files below a bundle's folder; links are listed and not followed."""

    def __init__(self, folder: str | Path) -> None:
        """Lists the folder.

        Raises:
            DataError: If it is no folder.
        """
        self._folder = Path(folder)
        if not self._folder.is_dir():
            what = "is a file" if self._folder.is_file() else "no such folder"
            raise DataError(f"{folder}: {what}; give the folder of a bundle")
        self._entries = dict(sorted(_entries(self._folder)))

    @property
    def name(self) -> str:
        """The folder's path, as it was given."""
        return str(self._folder)

    @property
    def entries(self) -> Mapping[str, Entry]:
        """See `BundleTree`."""
        return self._entries

    def read(self, path: str, at_most: int) -> bytes:
        """See `BundleTree`."""
        with self._opened(path) as stream:
            return _at_most(stream, at_most, self._folder / path)

    def chunks(self, path: str) -> Generator[bytes]:
        """See `BundleTree`."""
        with self._opened(path) as stream:
            # Of most files, only the beginning is wanted.
            chunk = stream.read(_FIRST_STEP)
            while chunk:
                yield chunk
                chunk = stream.read(_STEP)

    @contextmanager
    def _opened(self, path: str) -> Generator[BinaryIO]:
        entry = self._entries.get(path)
        if entry is None or entry.kind != "file":
            raise DataError(f"{self._folder}/{path}: is no regular file")
        with opened_regular(self._folder / path) as stream:
            yield stream


@contextmanager
def opened_regular(file: Path) -> Generator[BinaryIO]:
    """A regular file, opened to be read; nothing else that may lie there by now is.

    Raises:
        DataError: If it is none, or cannot be read.
    """
    try:
        with os.fdopen(os.open(file, _AS_LISTED), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise DataError(f"{file}: is no regular file")
            yield stream
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error


def read_regular(file: Path, at_most: int) -> bytes:
    """The bytes of a regular file; errors as of `BundleTree.read`."""
    with opened_regular(file) as stream:
        return _at_most(stream, at_most, file)


def _at_most(stream: BinaryIO, at_most: int, file: Path) -> bytes:
    # Python takes memory for as many bytes as are asked for.
    room = min(at_most, os.fstat(stream.fileno()).st_size)
    content = stream.read(room + 1)
    if len(content) > room:
        raise DataError(f"{file}: is larger than {room:,} bytes")
    return content


def _entries(folder: Path) -> Iterator[tuple[str, Entry]]:
    waiting = [(folder, "")]
    while waiting:
        here, prefix = waiting.pop()
        try:
            with os.scandir(here) as found:
                children = list(found)
        except OSError as error:
            raise DataError(f"{here}: cannot be listed ({error.strerror})") from error
        for child in children:
            path = prefix + child.name
            status = child.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                waiting.append((Path(child.path), f"{path}/"))
            else:
                yield path, Entry(_kind(status.st_mode), status.st_size)


def _kind(mode: int) -> Kind:
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_ISREG(mode) else "special"
