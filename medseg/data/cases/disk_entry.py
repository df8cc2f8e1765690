"""A packed case in a folder of its own: volumes in compressed chunks, the rest beside them.

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

# Part of a case's digest: another number here makes all entries anew.
PACKING = 1
INDEX = "entry.json"
ARRAYS = "arrays.bin"
ALIGNMENT = 64

Array = NDArray[Any]


def encode_entry(packed: Packed) -> dict[str, bytes]:
    """The content of each file of a packed case."""
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
    """Where each array begins, so that all are aligned."""
    steps = [-(-size // ALIGNMENT) * ALIGNMENT for size in sizes]
    return [sum(steps[:number]) for number in range(len(steps))]


def _joined(arrays: Sequence[Array], starts: Sequence[int]) -> bytes:
    content = bytearray(max(starts[-1] + arrays[-1].nbytes, 1))
    for array, start in zip(arrays, starts, strict=True):
        content[start : start + array.nbytes] = array.tobytes()
    return bytes(content)


def write_entry(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write an encoded case into an empty folder, down to the disk.

    Raises:
        OSError: What the disk refused.
    """
    for name, content in files.items():
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def read_entry(folder: Path) -> Packed:
    """Open a case; of its volumes nothing is read yet.

    Returns:
        As it was packed, with a `DiskArray` for each volume and views of the file for others.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If a file is missing, cut off or is something else.
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
    found = path.stat().st_size
    if found != size:
        raise ValueError(f"{path} has {found} bytes of {size}")


def _views(path: Path, arrays: list[tuple[list[int], str, int]]) -> list[Array]:
    if not arrays:
        return []
    content = _mapped(path)
    return [_view(content, shape, np.dtype(dtype), start) for shape, dtype, start in arrays]


def _mapped(path: Path) -> Array:
    # Python's mmap, and so numpy's, keeps a handle a file as long as the map is there: with a
    # thousand cases there would be none left. torch's does not.
    mapped = cast("Any", torch).from_file(str(path), size=path.stat().st_size, dtype=torch.uint8)
    content: Array = mapped.numpy()
    content.flags.writeable = False
    return content


def _view(content: Array, shape: list[int], dtype: np.dtype[Any], start: int) -> Array:
    size = math.prod(shape) * dtype.itemsize
    return np.asarray(content[start : start + size]).view(dtype).reshape(shape)
