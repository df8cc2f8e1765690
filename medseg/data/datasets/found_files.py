"""Files of a command-line pattern, absolute and sorted, with names that a manifest can hold."""

from pathlib import Path

from medseg._text import printable
from medseg.data.patterns import expand, natural_key
from medseg.errors import DataError

__all__ = ["absolute_path", "find_files"]


def find_files(pattern: str, *, option: str) -> list[Path]:
    """Files and folders that match a glob pattern, absolute and sorted.

    Args:
        pattern: With `*`, `?`, `[...]`, and `**` for any number of folders.
        option: The command-line option of the pattern, for the error.

    Raises:
        DataError: If nothing matches.
    """
    matches = expand(pattern)
    if not matches:
        raise DataError(
            f"{option} {pattern}: matches no file; check the folder, and quote the pattern"
        )
    paths = sorted(map(absolute_path, matches), key=lambda path: natural_key(str(path)))
    for path in paths:
        if printable(str(path)) != str(path):
            raise DataError(
                f"{printable(str(path))}: holds control characters or bytes that are not UTF-8, "
                "which a manifest cannot name; rename it"
            )
    return paths


def absolute_path(path: Path) -> Path:
    """An absolute path without `..`; links stay as they are, so that they are below the folder."""
    return path.absolute() if ".." not in path.parts else path.parent.resolve() / path.name
