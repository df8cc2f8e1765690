"""Cache key of a prepared case: hash of its files' contents, the recipe and the format.

Contents, not paths: the cases of a moved or copied data set are found again, and a file that was
exported anew is prepared anew.
"""

import functools
import glob
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from medseg.data.cases.recipe_digest import describe
from medseg.data.digest import file_sha256
from medseg.data.images.naming import DETACHED_SUFFIXES
from medseg.data.label_source import parse_label_source
from medseg.data.source import Source, parse_source
from medseg.data.walk import walk_tree

__all__ = ["case_digest", "entry_files", "source_files"]

# Header files whose voxels are in another file of the same stem, and the reverse.
DETACHED = {".hdr", ".img", *DETACHED_SUFFIXES}
# Files that hold their voxels, or name a file that does.
MAY_NAME = {".nrrd", ".mha"}
# Bytes searched for the name of that file; an .img may be all voxels.
_HEADER_BYTES = 100_000
# Entries that are never paths, whatever files the working directory has.
NAMES = ("case", "patient")


def case_digest(case: Mapping[str, Any], recipe: str, packing: int) -> str:
    """SHA-256 of a case's files and other entries, the recipe and the packing format.

    Args:
        case: Paths of files or folders, and other inputs of the preparation.
        recipe: `recipe_digest` of the preparation.
        packing: Version of the format on disk.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: If a file cannot be read.
        UsageError: If an entry is neither a path nor can be described.
    """
    sources = {
        key: describe(value) if key in NAMES else _described(value)
        for key, value in sorted(case.items())
    }
    return hashlib.sha256(json.dumps([packing, recipe, sources]).encode()).hexdigest()


def _source(value: object) -> Source | None:
    """Source of an entry that is text as readers accept it; the text may also be anything else."""
    return parse_source(value) if isinstance(value, str | Path) and str(value) else None


def _described(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_described(part) for part in cast("Sequence[Any]", value)]
    label = parse_label_source(value)
    if label is not None:
        # The voxels depend on the image's grid and on what the names mean.
        parts = [_described(path) for path in (label.path, label.image) if path is not None]
        return {"label": parts, "classes": label.class_names, "rois": label.rois}
    source = _source(value)
    # Contents only, in the order of the files' names.
    contents = [] if source is None else [_content(file) for file in source_files(source.path)]
    if source is None or not contents:
        return describe(value)
    return {"files": contents, "series": source.series_uid}


def _content(file: Path) -> str:
    stat = file.stat()
    return _sha256(str(file), stat.st_size, stat.st_mtime_ns)


def entry_files(value: object) -> list[Path]:
    """The files that an entry of a case refers to: of a path, a folder, or several; or none.

    For one DICOM series, `PATH#UID`, all files of the path.
    """
    if isinstance(value, list | tuple):
        parts = cast("Sequence[object]", value)
        return [file for part in parts for file in entry_files(part)]
    label = parse_label_source(value)
    if label is not None:
        return [file for path in (label.path, label.image) if path for file in source_files(path)]
    source = _source(value)
    return [] if source is None else source_files(source.path)


def source_files(path: Path) -> list[Path]:
    """Files of an image: all files of a folder; for a header, also that of its voxels; or none."""
    if not _exists(path):
        return []
    if path.is_dir():
        return list(walk_tree(path).files)
    if not path.is_file():  # reading a pipe may never end
        return []
    if path.suffix.lower() in MAY_NAME:
        return sorted({path, *_named_in(path)})
    if path.suffix.lower() in DETACHED:
        beside = path.parent.glob(f"{glob.escape(path.stem)}.*")
        return sorted({path, *(file for file in beside if file.is_file()), *_named_in(path)})
    return [path]


def _named_in(header: Path) -> list[Path]:
    """The file of voxels that a MetaImage or NRRD header names, if it is one beside it.

    Readers take no other, see `voxel_file`.
    """
    with header.open("rb") as file:
        text = file.read(_HEADER_BYTES).decode("latin-1")
    named = re.search(r"^(?:ElementDataFile\s*=|data ?file:)\s*(\S.*?)\s*$", text, re.M | re.I)
    if named is None or named[1] in ("LOCAL", "..") or re.search(r"[/\\:\0]", named[1]):
        return []
    voxels = header.parent / named[1]
    return [voxels] if voxels.is_file() else []


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # The text is too long for a file name.
        return False


@functools.lru_cache(maxsize=100_000)
def _sha256(name: str, size: int, mtime_ns: int) -> str:
    """SHA-256 of a file, cached per process as long as its size and time stay the same."""
    del size, mtime_ns
    return file_sha256(name)
