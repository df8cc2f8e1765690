"""Atomic file writes, what a killed one leaves, and the folder of caches."""

import os
import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["cache_dir", "final_name", "remove_remains", "write_atomically"]


def write_atomically(path: str | Path, write: Callable[[Path], object]) -> None:
    """Write beside `path`, flush to disk, rename into place.

    Args:
        path: Final name; its folder is made where missing.
        write: Called with a temporary path that has the same suffixes. If it raises,
            `path` is untouched and nothing is left behind.

    Raises:
        OSError: What the disk refused; it names `path` or its folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays at the end: writers such as nibabel choose the format by it. The name is
    # the one that `final_name` reads.
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
    """Remove what killed calls of `write_atomically` left beside these files, and nothing else.

    For the only writer of them: what another process is writing at this moment goes too.

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
    """The name that a file left by a killed `write_atomically` was to get; of others, None."""
    match = re.fullmatch(r"\.[1-9][0-9]*\.(.+)", remains.name, re.DOTALL)
    return match[1] if match else None


def cache_dir() -> Path:
    """Cache folder: `$MEDSEG_CACHE`, or `medseg` in the user's cache folder."""
    own = os.environ.get("MEDSEG_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(home) / "medseg"


def _flush(path: Path) -> None:
    # Some systems flush only what is open for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
