"""Safetensors file: its header, held against the file before it is believed, and a digest.

Read without torch, so that a command can say whose weights it has before torch is imported.

Reference:
    https://huggingface.co/docs/safetensors/index#format
"""

import hashlib
import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medseg.errors import DataError

__all__ = ["DIGEST", "StoredTensor", "WeightsFile", "header_object", "read_weights_file"]

# Key of the digest among the header's texts.
DIGEST = "tensors_sha256"
# The header of a thousand tensors has 100 KB.
_MOST_HEADER = 2**24
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
class WeightsFile:
    """A safetensors file.

    Attributes:
        path: Of the file.
        content: All of its bytes.
        texts: The texts in its header (`__metadata__`).
        tensors: By name; their places are relative to `content`.
    """

    path: Path
    content: bytes
    texts: Mapping[str, str]
    tensors: Mapping[str, StoredTensor]

    @property
    def tensors_sha256(self) -> str:
        """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names.

        It does not depend on the header's texts, nor on the order in the file.
        """
        digest, view = hashlib.sha256(), memoryview(self.content)
        for name, tensor in sorted(self.tensors.items()):
            digest.update(json.dumps([name, tensor.dtype, tensor.shape]).encode())
            digest.update(view[tensor.begin : tensor.end])
        return digest.hexdigest()

    def checked_sha256(self) -> str:
        """The digest, which must be the one in the header; older files have none there.

        Raises:
            DataError: If it is another: the file was damaged since it was written.
        """
        digest = self.tensors_sha256
        if self.texts.get(DIGEST, digest) != digest:
            raise DataError(
                f"{self.path}: damaged, its tensors are not those that were saved (their SHA-256 "
                "differs from the one in its header); copy it again"
            )
        return digest


def read_weights_file(path: str | Path) -> WeightsFile:
    """Read a safetensors file.

    Raises:
        DataError: If it is missing, no regular file, or no safetensors file.
    """
    path = Path(path)
    _require_regular(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return weights_of(path, content)
    except (ValueError, RecursionError) as error:
        # Also numbers of too many digits, and too many brackets.
        raise DataError(f"{path}: not a readable safetensors file ({_reason(error)})") from error


def weights_of(path: Path, content: bytes) -> WeightsFile:
    """The file of these bytes.

    Raises:
        ValueError: If they are no safetensors file.
        RecursionError: If the header has too many brackets.
    """
    length = int.from_bytes(content[:8], "little")
    start = 8 + length
    if len(content) < 8 or start > len(content):
        raise ValueError(f"its header has {length} bytes, the file {len(content)}")
    if length > _MOST_HEADER:
        raise ValueError(f"its header has {length} bytes, more than {_MOST_HEADER}")
    header = json.loads(content[8:start])
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    entries = cast("dict[str, Any]", header)
    texts = _texts(entries.pop("__metadata__", None) or {})
    tensors = {name: _tensor(name, entry, start) for name, entry in entries.items()}
    _require_gapless(tensors, start, len(content))
    return WeightsFile(path, content, texts, tensors)


def header_object(file: WeightsFile, key: str) -> dict[str, Any]:
    """A JSON object among the header's texts; empty if it is not there.

    Raises:
        DataError: If it is not a JSON object.
    """
    try:
        found = json.loads(file.texts.get(key, "{}"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError(
            f"{file.path}: its {key} are not a JSON object; save the weights with medseg"
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
    if dtype not in _BYTES or shape is None or offsets is None or len(offsets) != 2:
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
