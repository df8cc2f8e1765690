"""Staging folder: where a bundle is put together beside the store, and renamed into it whole.

A killed process leaves its staging folder behind; the system has ended its lock, by which the next
installation knows it, and removes it.
"""

import os
import secrets
import shutil
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medseg._locks import HeldError, acquire, remove_unheld

__all__ = ["make_read_only", "remove_left_behind", "staging_folder"]

_LOCK = ".lock"
# Of this process, whose own locks would be given to it again.
_own: set[Path] = set()


@contextmanager
def staging_folder(parent: Path) -> Generator[Path]:
    """A fresh folder in `parent`, removed with all that is left in it when the block ends.

    Raises:
        OSError: If it cannot be created.
    """
    remove_left_behind(parent)
    folder = parent / secrets.token_hex(8)
    lock = acquire(folder.with_suffix(_LOCK), what=str(folder))
    _own.add(folder)
    try:
        folder.mkdir()
        yield folder
    finally:
        _remove(folder)
        _own.discard(folder)
        lock.release()


def remove_left_behind(parent: Path) -> None:
    """Remove staging folders of processes that were killed."""
    if not parent.is_dir():
        return
    for folder in [path for path in parent.iterdir() if path.suffix != _LOCK]:
        if folder in _own:
            continue
        with suppress(HeldError, OSError):
            lock = acquire(folder.with_suffix(_LOCK), what=str(folder))
            try:
                _remove(folder)
            finally:
                lock.release()
    remove_unheld(parent, f"*{_LOCK}")


def make_read_only(folder: Path) -> None:
    """Take away the right to write to a folder's files and folders, its own included."""
    for path in _bottom_up(folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _remove(folder: Path) -> None:
    if not folder.is_dir() or folder.is_symlink():
        folder.unlink(missing_ok=True)
        return
    for path in _bottom_up(folder):
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
        elif os.name == "nt":
            path.chmod(stat.S_IWRITE)
    shutil.rmtree(folder, ignore_errors=True)


def _bottom_up(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, topdown=False):
        yield from (Path(here) / name for name in (*files, *folders))
    yield folder
