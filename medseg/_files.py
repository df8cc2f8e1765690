"""Atomic file writes, removal of their remains, and the cache folder."""

import os
import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["cache_dir", "final_name", "remove_remains", "write_atomically"]


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
    # The suffix stays at the end, since writers such as nibabel choose the format by it.
    # `final_name` parses this name.
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
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

    Only for files with a single writer: what another process is writing would be removed too.

    Args:
        paths: Final names; the files themselves are not touched, and need not exist.
    """
    names: dict[Path, set[str]] = {}
    for path in map(Path, paths):
        names.setdefault(path.parent, set()).add(path.name)
    for folder in filter(Path.is_dir, names):
        for file in folder.iterdir():
            if final_name(file) in names[folder]:
                file.unlink(missing_ok=True)


def final_name(remains: Path) -> str | None:
    """Final name of a temporary file of `write_atomically`; None for other files."""
    match = re.fullmatch(r"\.[1-9][0-9]*\.(.+)", remains.name, re.DOTALL)
    return match[1] if match else None


def cache_dir() -> Path:
    """Cache folder: `$MEDSEG_CACHE`, or `medseg` in the user's cache folder."""
    own = os.environ.get("MEDSEG_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(home) / "medseg"


def _flush(path: Path) -> None:
    # Some systems flush only files that are open for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
