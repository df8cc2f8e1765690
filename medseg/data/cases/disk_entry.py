"""Disk cache entry: a packed case as a folder, with volumes in compressed chunks.

- `image.b2nd`, `label.b2nd`, `weight.b2nd`: one volume each, see `medseg.data.cases.chunked`;
- `arrays.bin`: all other arrays, one after the other;
- `entry.json`: the other entries, where each array lies, sizes and CRC-32 of all files.

CRC-32, since it finds damage at twice the speed of SHA-256; against somebody who may write to the
folder, no digest within an entry helps.
"""

import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from medseg.data.cases.chunked import DiskArray, compressed
from medseg.data.cases.packed import VOLUMES, Packed
from medseg.data.nested import join_arrays, split_arrays

__all__ = ["PACKING", "Check", "encode_entry", "read_entry", "write_entry"]

Check = Literal["content", "sizes"]

# Version of the format, part of a case's digest: changing it invalidates all entries.
PACKING = 2
INDEX = "entry.json"
ARRAYS = "arrays.bin"
ALIGNMENT = 64
_READ_AT_ONCE = 2**22

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
        "crc32": {name: zlib.crc32(content) for name, content in files.items()},
    }
    text = json.dumps({**index, "own_crc32": zlib.crc32(json.dumps(index).encode())})
    return {**files, INDEX: text.encode()}


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


def read_entry(folder: Path, check: Check = "content") -> Packed:
    """Open a case.

    Args:
        folder: The entry.
        check: Read all its files and hold them against their CRC-32 (about 1 GB/s), or compare
            only their sizes, without reading the volumes.

    Returns:
        The packed case, with a `DiskArray` for each volume and memory maps for other arrays.

    Raises:
        FileNotFoundError: If the entry does not exist.
        ValueError: If a file is missing, truncated or damaged.
    """
    content = (folder / INDEX).read_bytes()
    try:
        index = _index(content)
        for name, size in index["bytes"].items():
            _check_size(folder / name, size)
            if check == "content":
                _check_content(folder / name, index["crc32"][name])
        volumes = {
            key: DiskArray(folder / f"{key}.b2nd", shape, dtype)
            for key, (shape, dtype) in index["volumes"].items()
        }
        entries = join_arrays(index["entries"], _views(folder / ARRAYS, index["arrays"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / INDEX}: the entry is damaged ({error})") from error
    return {**volumes, **entries}


def _index(content: bytes) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(content)
    stated = index.pop("own_crc32")
    if zlib.crc32(json.dumps(index).encode()) != stated:
        raise ValueError("its text is not what was written")
    return index


def _check_size(path: Path, size: int) -> None:
    actual = path.stat().st_size
    if actual != size:
        raise ValueError(f"{path} has {actual} bytes of {size}")


def _check_content(path: Path, crc32: int) -> None:
    actual = 0
    with path.open("rb") as file:
        while part := file.read(_READ_AT_ONCE):
            actual = zlib.crc32(part, actual)
    if actual != crc32:
        raise ValueError(f"{path} is not what was written")


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
