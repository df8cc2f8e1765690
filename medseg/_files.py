"""Writing a file so that its final name never holds half of it."""

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_atomically"]


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
    # The suffix stays at the end: writers such as nibabel choose the format by it.
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(temporary)
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    # Some systems flush only what is open for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
