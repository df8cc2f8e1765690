"""Atomic file writes, removal of their remains, and the cache folder."""

import hashlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from medseg.errors import MachineError

__all__ = ["cache_dir", "final_name", "remove_remains", "write_atomically"]

# The second form was that of earlier versions: a process and a final name.
_TEMPORARY = re.compile(r"\.(?:tmp-[0-9a-f]{16}|[1-9][0-9]*)\.(.+)", re.DOTALL)
# Of the 255 bytes of a name, what the prefix of a temporary file leaves.
_MOST_BYTES = 255 - len(".tmp-.") - 16


def write_atomically(path: str | Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically: to a temporary file, flushed to disk and renamed.

    Args:
        path: Final name; its folder is created if missing.
        write: Called with a temporary path that has the same suffixes. If it raises,
            `path` is untouched and nothing is left behind.

    Raises:
        OSError: If writing fails; it names `path` or its folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _created(path)
    try:
        write(temporary)
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_remains(*paths: str | Path) -> None:
    """Remove temporary files that killed calls of `write_atomically` left beside these files.

    Only for files with a single writer, e.g. under a lock: what another process is writing would
    be removed too.

    Args:
        paths: Final names; the files themselves are not touched, and need not exist.
    """
    names: dict[Path, set[str]] = {}
    for path in map(Path, paths):
        names.setdefault(path.parent, set()).update((path.name, _fitted(path.name)))
    for folder in filter(Path.is_dir, names):
        for file in folder.iterdir():
            if final_name(file) in names[folder]:
                file.unlink(missing_ok=True)


def final_name(remains: Path) -> str | None:
    """Final name of a temporary file of `write_atomically`; None for other files.

    Of a final name that is too long, its shortened form.
    """
    match = _TEMPORARY.fullmatch(remains.name)
    return match[1] if match else None


def cache_dir() -> Path:
    """Cache folder: `$MEDSEG_CACHE`, or `medseg` in the user's cache folder.

    Users without a home have one of their own among the temporary files.

    Raises:
        MachineError: If that is another user's.
    """
    own = os.environ.get("MEDSEG_CACHE")
    if own:
        return Path(own)
    caches = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(caches or Path.home() / ".cache") / "medseg"
    except RuntimeError:
        return _cache_without_home()


def _cache_without_home() -> Path:
    folder = Path(tempfile.gettempdir()) / f"medseg-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    # Anybody may make a folder of this name there, and what a cache holds is trusted.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise MachineError(f"{folder}: is not this user's alone; set MEDSEG_CACHE to a folder")
    return folder


def _created(path: Path) -> Path:
    """An empty file beside `path`, with a name that nobody can guess and lay a link at."""
    # The suffix stays at the end, since writers such as nibabel choose the format by it.
    temporary = path.with_name(f".tmp-{secrets.token_hex(8)}.{_fitted(path.name)}")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        os.close(os.open(temporary, flags, 0o666))
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    return temporary


def _fitted(name: str) -> str:
    """A name that fits behind the prefix of a temporary file: a long one by digest and end."""
    whole = os.fsencode(name)
    if len(whole) <= _MOST_BYTES:
        return name
    digest = hashlib.sha256(whole).hexdigest()[:16]
    end = whole[len(digest) + 1 - _MOST_BYTES :]
    # The cut may be within a letter, whose other bytes are of the form 10xxxxxx.
    start = next((n for n, byte in enumerate(end) if byte & 0xC0 != 0x80), 0)
    return f"{digest}~{os.fsdecode(end[start:])}"


def _flush(path: Path) -> None:
    # Some systems flush only files that are open for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
