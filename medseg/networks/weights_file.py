"""Safetensors file: its header, held against the file before it is believed, and a digest.

Read without torch, so that a command can say whose weights it has before torch is imported.

Reference:
    https://huggingface.co/docs/safetensors/index#format
"""

import hashlib
import io
import json
import math
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from medseg.errors import DataError

__all__ = [
    "DIGEST",
    "StoredTensor",
    "WeightsHeader",
    "header_object",
    "read_weights_file",
    "read_weights_header",
    "signed_weights",
    "tensors_sha256",
    "weights_header",
]

# Key of the digest among the header's texts.
DIGEST = "tensors_sha256"
# The header of a thousand tensors has 100 KB.
_MOST_HEADER = 2**24
_MOST_TENSORS = 10_000
_MOST_AXES = 16
_LARGEST_SIZE = 2**40
_BYTES = {
    **{"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2},
    **{"F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8},
}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in the file: type such as `F32`, shape, first byte and the byte after the last."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class WeightsHeader:
    """Header of a safetensors file, in agreement with the file's length.

    Attributes:
        path: Of the file.
        texts: The texts in it (`__metadata__`).
        tensors: By name.
    """

    path: Path
    texts: Mapping[str, str]
    tensors: Mapping[str, StoredTensor]


def read_weights_header(path: str | Path) -> WeightsHeader:
    """Read the header of a safetensors file, not its tensors.

    Raises:
        DataError: If it is missing, no regular file, or no safetensors file.
    """
    with _opened(Path(path)) as (file, size):
        return weights_header(Path(path), file, size)


def read_weights_file(path: str | Path) -> tuple[WeightsHeader, bytes]:
    """Read a safetensors file, and hold its tensors against the digest in its header.

    Returns:
        The header, which states the digest, and all bytes of the file. Files of before there were
        digests are given that of their tensors as they are.

    Raises:
        DataError: If it is missing, no regular file, no safetensors file, or damaged.
    """
    path = Path(path)
    with _opened(path) as (file, size):
        header = weights_header(path, file, size)
        file.seek(0)
        content = file.read()
    digest = tensors_sha256(header, content)
    if header.texts.get(DIGEST, digest) != digest:
        raise DataError(
            f"{path}: damaged, its tensors are not those that were saved (their SHA-256 differs "
            "from the one in its header); copy it again"
        )
    return replace(header, texts={**header.texts, DIGEST: digest}), content


def tensors_sha256(header: WeightsHeader, content: bytes) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names.

    It depends neither on the header's texts nor on the order in the file.

    Args:
        header: Of the file.
        content: All bytes of the file.
    """
    digest, view = hashlib.sha256(), memoryview(content)
    for name, tensor in sorted(header.tensors.items()):
        digest.update(json.dumps([name, tensor.dtype, tensor.shape]).encode())
        digest.update(view[tensor.begin : tensor.end])
    return digest.hexdigest()


def signed_weights(content: bytes, texts: Mapping[str, str]) -> bytes:
    """A safetensors file with other texts in its header, among them the digest of its tensors.

    The same tensors and texts give the same bytes; the library's own order of texts is random.

    Args:
        content: All bytes of a safetensors file.
        texts: For its header.

    Raises:
        ValueError: If it is no safetensors file.
    """
    header = _parsed(Path(), io.BytesIO(content), len(content))
    start = 8 + int.from_bytes(content[:8], "little")
    signed = {**texts, DIGEST: tensors_sha256(header, content)}
    entries = json.loads(content[8:start]) | {"__metadata__": dict(sorted(signed.items()))}
    text = json.dumps(dict(sorted(entries.items())), separators=(",", ":")).encode()
    # Aligned, as the library writes it.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[start:]


@contextmanager
def _opened(path: Path) -> Generator[tuple[BinaryIO, int]]:
    _require_regular(path)
    try:
        with path.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def weights_header(path: Path, file: BinaryIO, size: int) -> WeightsHeader:
    """Header of an open safetensors file, of which only the header need be there.

    Args:
        path: What it is called in messages.
        file: At its first byte.
        size: Of the whole file, in bytes.

    Raises:
        DataError: If it is no safetensors file.
    """
    try:
        return _parsed(path, file, size)
    except (ValueError, RecursionError) as error:
        # Also numbers of too many digits, and too many brackets.
        raise DataError(f"{path}: not a readable safetensors file ({_reason(error)})") from error


def _parsed(path: Path, file: BinaryIO, size: int) -> WeightsHeader:
    length = int.from_bytes(file.read(8), "little")
    start = 8 + length
    if size < start:
        raise ValueError(f"its header takes {length} bytes, the whole file has {size}")
    if length > _MOST_HEADER:
        raise ValueError(f"its header has {length} bytes, more than {_MOST_HEADER}")
    stated = json.loads(file.read(length), object_pairs_hook=_unique)
    if not isinstance(stated, dict):
        raise ValueError("its header is no JSON object")
    entries = cast("dict[str, Any]", stated)
    texts = _texts(entries.pop("__metadata__", None) or {})
    if len(entries) > _MOST_TENSORS:
        raise ValueError(f"it has {len(entries)} tensors, more than {_MOST_TENSORS}")
    tensors = {name: _tensor(name, entry, start) for name, entry in entries.items()}
    _require_gapless(tensors, start, size)
    return WeightsHeader(path, texts, tensors)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("its header has a key twice, so that readers may take either")
    return entries


def header_object(header: WeightsHeader, key: str) -> dict[str, Any]:
    """A JSON object among the header's texts; empty if it is not there.

    Raises:
        DataError: If it is not a JSON object.
    """
    try:
        found = json.loads(header.texts.get(key, "{}"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError(
            f"{header.path}: its {key} are not a JSON object; save the weights with medseg"
        )
    return cast("dict[str, Any]", found)


def _require_regular(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: no weights there; train the bundle first, or install them"
        ) from error
    if not stat.S_ISREG(mode):
        # Reading a pipe or a device may never end.
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, device or socket"
        raise DataError(f"{path}: {what}, not a weights file; give a regular file")


def _texts(texts: Any) -> dict[str, str]:
    if not isinstance(texts, dict):
        raise ValueError("its __metadata__ is no JSON object")
    pairs = cast("dict[str, Any]", texts)
    if not all(isinstance(text, str) for text in pairs.values()):
        raise ValueError("its __metadata__ holds something else than texts")
    return pairs


def _tensor(name: str, entry: Any, start: int) -> StoredTensor:
    stated = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    dtype, shape = stated.get("dtype"), _sizes(stated.get("shape"), _MOST_AXES)
    offsets = _sizes(stated.get("data_offsets"), 2)
    if not isinstance(dtype, str) or dtype not in _BYTES or shape is None:
        raise ValueError(f"tensor {name[:60]!r} is not described by dtype, shape and data_offsets")
    if offsets is None or len(offsets) != 2:
        raise ValueError(f"tensor {name[:60]!r} is not described by dtype, shape and data_offsets")
    begin, end = offsets
    if end - begin != math.prod(shape) * _BYTES[dtype]:
        raise ValueError(f"tensor {name[:60]!r} has {end - begin} bytes, which is not its shape")
    return StoredTensor(dtype, shape, start + begin, start + end)


def _sizes(stated: Any, most: int) -> tuple[int, ...] | None:
    if not isinstance(stated, list) or len(cast("list[Any]", stated)) > most:
        return None
    sizes = cast("list[Any]", stated)
    able = all(type(size) is int and 0 <= size <= _LARGEST_SIZE for size in sizes)
    return tuple(sizes) if able else None


def _require_gapless(tensors: Mapping[str, StoredTensor], start: int, size: int) -> None:
    """Tensors follow one another without overlap up to the file's end."""
    place = start
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != place:
            raise ValueError("its tensors overlap or have gaps")
        place = tensor.end
    if place != size:
        raise ValueError(f"its tensors end at byte {place}, the file at {size}")


def _reason(error: Exception) -> str:
    return "too many brackets" if isinstance(error, RecursionError) else str(error)[:120]
