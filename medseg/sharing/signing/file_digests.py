"""Digests of the files of a folder, of which only what has changed is read again.

A file counts as unchanged if size, times, inode and device are those of its last reading. They are
kept in the user folder, where nothing that comes with a bundle can write. The time of change cannot
be set by a program, so who changes a file and sets its other times back is found out.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, cast

from medseg._files import write_atomically
from medseg._user_folder import user_folder
from medseg.bundles.judgement.tree import BundleTree
from medseg.errors import DataError

__all__ = ["FolderDigests", "Reread", "content_sha256"]

Reread = Literal["changed", "all"]

# Files may change within a tick of the file system's clock, of up to two seconds (FAT), without
# another time: what is so new is not believed to be unchanged.
_TICK_NS = 2 * 10**9
# Of as many folders is remembered what was read; of others it is read again.
_MOST_NOTES = 100
_State = tuple[int, ...]
_Known = Mapping[str, tuple[_State, str]]


def content_sha256(tree: BundleTree, path: str) -> str:
    """SHA-256 of a regular file of a bundle, in hexadecimal."""
    digest = hashlib.sha256()
    for chunk in tree.chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


class FolderDigests:
    """Digests of the files below one folder."""

    def __init__(self, folder: str | Path, reread: Reread = "changed") -> None:
        """Begins with what is known of the folder.

        Args:
            folder: Of a bundle.
            reread: `all` begins with nothing.
        """
        self._folder = Path(folder).resolve()
        key = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:32]
        self._store = user_folder() / "verified" / f"{key}.json"
        self._known: _Known = self._read() if reread == "changed" else {}
        self._seen: dict[str, tuple[_State, str]] = {}

    def sha256(self, tree: BundleTree, path: str) -> str:
        """Digest of a file: the known one, or by reading it.

        Raises:
            DataError: If it cannot be read, or changes while it is.
        """
        state = self._state(path)
        known = self._known.get(path)
        if known and known[0] == state:
            self._seen[path] = known
            return known[1]
        digest = content_sha256(tree, path)
        if self._state(path) != state:
            raise DataError(f"{tree.name}/{path}: has changed while it was read; begin again")
        # Size first, then the two times.
        if max(state[1:3]) < time.time_ns() - _TICK_NS:
            self._seen[path] = (state, digest)
        return digest

    def keep(self) -> None:
        """Write down what was seen; not at all where the user folder cannot be written to."""
        if self._seen == self._known:
            return
        content = json.dumps({"folder": str(self._folder), "files": self._seen}).encode()
        with suppress(OSError):
            write_atomically(self._store, lambda temporary: temporary.write_bytes(content))
            notes = [(note.stat().st_mtime_ns, note) for note in self._store.parent.glob("*.json")]
            for _, note in sorted(notes)[:-_MOST_NOTES]:
                note.unlink(missing_ok=True)

    def _state(self, path: str) -> _State:
        try:
            found = (self._folder / path).lstat()
        except OSError as error:
            raise DataError(f"{self._folder}/{path}: cannot be read ({error.strerror})") from error
        return (
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
            found.st_ino,
            found.st_dev,
            found.st_mode,
        )

    def _read(self) -> _Known:
        try:
            content = json.loads(self._store.read_bytes())
            if content["folder"] != str(self._folder):
                return {}
            files = cast("dict[str, tuple[list[int], str]]", content["files"])
            return {path: (tuple(state), digest) for path, (state, digest) in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
