"""The name under which a prepared case is kept on disk: what it was made from, and how.

Content of its files, not their paths: a data set that was moved or copied finds its cases
again, and a file that was exported anew is prepared anew.
"""

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from medseg.data.digest import file_sha256
from medseg.data.recipe_digest import describe

__all__ = ["case_digest"]

# The voxels of these are in a file beside, of the same name but for its end.
DETACHED = {".hdr", ".img", ".mhd", ".nhdr"}


def case_digest(case: Mapping[str, Any], recipe: str, packing: int) -> str:
    """Digest of a case's files and other entries, the recipe and the way it is packed.

    Args:
        case: Paths of files or folders, and whatever else the preparation is given.
        recipe: `recipe_digest` of the preparation.
        packing: Version of the format on disk.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: If a file cannot be read.
        UsageError: If an entry is neither a path nor can be described.
    """
    sources = {key: _source(value) for key, value in sorted(case.items())}
    return hashlib.sha256(json.dumps([packing, recipe, sources]).encode()).hexdigest()


def _source(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_source(part) for part in cast("list[Any]", value)]
    if isinstance(value, str | Path) and str(value) and Path(value).exists():
        return {"files": _content(Path(value))}
    return describe(value)


def _content(path: Path) -> list[str]:
    files = _files(path)
    stamps = [(str(file), file.stat()) for file in files]
    # Contents only: of several files, their order is that of their names.
    return [_sha256(name, stat.st_size, stat.st_mtime_ns) for name, stat in stamps]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and _is_shown(file))
    if path.suffix.lower() in DETACHED:
        return sorted(file for file in path.parent.glob(f"{path.stem}.*") if file.is_file())
    return [path]


def _is_shown(file: Path) -> bool:
    # Desktops leave hidden files behind.
    return not file.name.startswith(".")


@functools.lru_cache(maxsize=100_000)
def _sha256(name: str, size: int, mtime_ns: int) -> str:
    """Digest of a file that is read once a process, unless its size or time change."""
    del size, mtime_ns
    return file_sha256(name)
