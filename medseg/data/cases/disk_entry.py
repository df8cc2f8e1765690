"""Disk cache entry: a packed case as a folder, with volumes in compressed chunks.

- `image.b2nd`, `label.b2nd`, `weight.b2nd`: one volume each, see `medseg.data.cases.chunked`;
- `arrays.bin`: all other arrays, one after the other;
- `entry.json`: the other entries, where each array lies, and the sizes of the files.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from medseg.data.cases.chunked import DiskArray, compressed
from medseg.data.cases.packed import VOLUMES, Packed
from medseg.data.nested import join_arrays, split_arrays

__all__ = ["PACKING", "encode_entry", "read_entry", "write_entry"]

# Version of the format, part of a case's digest: changing it invalidates all entries.
PACKING = 1
INDEX = "entry.json"
ARRAYS = "arrays.bin"
ALIGNMENT = 64

Array = NDArray[Any]


def encode_entry(packed: Packed) -> dict[str, bytes]:
    """Encode a packed case as file contents by name."""
    volumes = {key: packed[key] for key in VOLUMES if key in packed}
    arrays: list[Array] = []
    entries = split_arrays({k: v for k, v in packed.items() if k not in volumes}, arrays)
    starts = _starts([array.nbytes for array in arrays])
    files = {f"{key}.b2nd": compressed(volume) for key, volume in volumes.items()}
    if arrays:
        files[ARRAYS] = _joined(arrays, starts)
    index = {
        "volumes": {key: _facts(volume) for key, volume in volumes.items()},
        "entries": entries,
        "arrays": [[*_facts(a), start] for a, start in zip(arrays, starts, strict=True)],
        "bytes": {name: len(content) for name, content in files.items()},
    }
    return {**files, INDEX: json.dumps(index).encode()}


def _facts(array: Array) -> list[Any]:
    return [list(array.shape), array.dtype.str]


def _starts(sizes: Sequence[int]) -> list[int]:
    """Aligned start of each array in the file, in bytes."""
    steps = [-(-size // ALIGNMENT) * ALIGNMENT for size in sizes]
    return [sum(steps[:number]) for number in range(len(steps))]


def _joined(arrays: Sequence[Array], starts: Sequence[int]) -> bytes:
    content = bytearray(max(starts[-1] + arrays[-1].nbytes, 1))
    for array, start in zip(arrays, starts, strict=True):
        content[start : start + array.nbytes] = array.tobytes()
    return bytes(content)


def write_entry(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write an encoded case into an empty folder, synced to the disk.

    Raises:
        OSError: If the files cannot be written.
    """
    for name, content in files.items():
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def read_entry(folder: Path) -> Packed:
    """Open a case without reading its volumes.

    Returns:
        The packed case, with a `DiskArray` for each volume and memory maps for other arrays.

    Raises:
        FileNotFoundError: If the entry does not exist.
        ValueError: If a file is missing, truncated or damaged.
    """
    text = (folder / INDEX).read_text(encoding="utf-8")
    try:
        index: dict[str, Any] = json.loads(text)
        for name, size in index["bytes"].items():
            _check_size(folder / name, size)
        volumes = {
            key: DiskArray(folder / f"{key}.b2nd", shape, dtype)
            for key, (shape, dtype) in index["volumes"].items()
        }
        entries = join_arrays(index["entries"], _views(folder / ARRAYS, index["arrays"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / INDEX}: the entry is damaged ({error})") from error
    return {**volumes, **entries}


def _check_size(path: Path, size: int) -> None:
    actual = path.stat().st_size
    if actual != size:
        raise ValueError(f"{path} has {actual} bytes of {size}")


def _views(path: Path, arrays: list[tuple[list[int], str, int]]) -> list[Array]:
    if not arrays:
        return []
    content = _mapped(path)
    return [_view(content, shape, np.dtype(dtype), start) for shape, dtype, start in arrays]


def _mapped(path: Path) -> Array:
    # Python's mmap, and so numpy's, keeps a file handle open per map: a thousand cases would use
    # up the handles of the process. torch's does not.
    mapped = cast("Any", torch).from_file(str(path), size=path.stat().st_size, dtype=torch.uint8)
    content: Array = mapped.numpy()
    content.flags.writeable = False
    return content


def _view(content: Array, shape: list[int], dtype: np.dtype[Any], start: int) -> Array:
    size = math.prod(shape) * dtype.itemsize
    return np.asarray(content[start : start + size]).view(dtype).reshape(shape)
