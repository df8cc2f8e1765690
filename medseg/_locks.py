"""Locks between processes: a file that its owner keeps locked, and that names the owner.

The system ends a lock with its process, however that ends, on a network disk too, so none is ever
stale: a file that a killed process left behind is taken over, since nobody holds it. What the file
says is for the message alone.
"""

import atexit
import errno
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from medseg._text import printable
from medseg.errors import MachineError

__all__ = ["LOCK", "HeldError", "Lock", "acquire", "locked", "remove_unheld"]

logger = logging.getLogger(__name__)

# The lock of a whole folder.
LOCK = ".medseg-lock"

# Some network and user-space file systems have no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_LONGEST_OWNER = 300
_PAUSE_SECONDS = 0.05
_thread_lock = threading.RLock()
_locks: dict[Path, "Lock"] = {}
# Folders that were told of: a cohort has a lock for each case.
_without_locks: set[Path] = set()


class HeldError(MachineError):
    """Another process holds a lock; the message names it."""


@dataclass(frozen=True, eq=False)
class Lock:
    """A lock that this process holds, until `release` or its end."""

    path: Path
    descriptor: int
    process: int

    def release(self) -> None:
        """Give the lock back and remove its file; does nothing the second time."""
        with _thread_lock:
            # A forked child has a copy of the object, but not the lock.
            if self.process != os.getpid() or _locks.get(self.path) is not self:
                return
            del _locks[self.path]
            # While it is still locked: who opens the file from now on makes a new one.
            with suppress(OSError):
                self.path.unlink()
            os.close(self.descriptor)


def acquire(path: str | Path, *, what: str) -> Lock:
    """Lock a file, which is created; a lock that this process holds already is returned again.

    Args:
        path: File of the lock; its folder is created if missing.
        what: What it protects, for the error, e.g. `this folder`.

    Raises:
        HeldError: If another process holds it.
        OSError: If the file cannot be created, as on a disk that is read-only.
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _thread_lock:
        if path in _locks and _locks[path].process == os.getpid():
            return _locks[path]
        lock = Lock(path, _locked_descriptor(path, what), os.getpid())
        _locks[path] = lock
        return lock


@contextmanager
def locked(path: str | Path, *, what: str, patience_seconds: float = 0.0) -> Generator[None]:
    """Hold a lock within a block; arguments and errors as of `acquire`.

    Args:
        path: File of the lock.
        what: What it protects.
        patience_seconds: For how long to wait for a process that holds it.
    """
    lock = _awaited(path, what, time.monotonic() + patience_seconds)
    try:
        yield
    finally:
        lock.release()


def _awaited(path: str | Path, what: str, deadline: float) -> Lock:
    while True:
        try:
            return acquire(path, what=what)
        except HeldError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def remove_unheld(folder: str | Path, pattern: str) -> None:
    """Remove files of locks that killed processes left behind.

    Args:
        folder: Their folder; it need not exist.
        pattern: Of their names, as of `Path.glob`.
    """
    for path in Path(folder).absolute().glob(pattern):
        with suppress(HeldError, OSError):
            if path not in _locks:
                acquire(path, what="").release()


def _locked_descriptor(path: Path, what: str) -> int:
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, 0o666)
        try:
            _lock(descriptor, path, what)
            if _is_at(descriptor, path):
                _name_owner(descriptor, path)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        # The one who held it has removed the file since it was opened.
        os.close(descriptor)


def _lock(descriptor: int, path: Path, what: str) -> None:
    try:
        _lock_now(descriptor)
    except OSError as error:
        if error.errno in _HELD:
            raise _held(descriptor, path, what) from error
        if error.errno not in _NO_LOCKS:
            raise
        if path.parent not in _without_locks:
            _without_locks.add(path.parent)
            logger.warning(
                "%s: this disk has no locks (%s); start no second run there", path.parent, error
            )


if sys.platform == "win32":
    import msvcrt

    # Windows' locks keep others from reading as well: beyond the text.
    _FAR = 1 << 20

    def _lock_now(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock_now(descriptor: int) -> None:
        # POSIX locks rather than flock: loader workers that a killed process has forked do not
        # keep them, and network disks have them.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _name_owner(descriptor: int, path: Path) -> None:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    owner = f"process {os.getpid()} on {platform.node() or 'this machine'} since {since}\n"
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, owner.encode(errors="replace"))
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _held(descriptor: int, path: Path, what: str) -> HeldError:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _LONGEST_OWNER).decode(errors="replace").strip()
    owner = printable(text) or "another process"
    elsewhere = "" if f" on {platform.node()} " in owner or not text else _if_gone(path)
    return HeldError(
        f"{what} is in use by {owner}; wait for it to end, or use another folder{elsewhere}"
    )


def _if_gone(path: Path) -> str:
    return f" (if that machine is gone for good, remove {printable(str(path))})"


@atexit.register
def _release_all() -> None:
    for lock in list(_locks.values()):
        lock.release()
