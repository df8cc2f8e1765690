"""Voxels of a file: exactly as many as its header states, unpacked in steps.

A compressed file of a few megabytes can unpack to more than any memory holds, and a header can
state voxels that are not there. So nothing is reserved before the stated size was held against the
file's length, and nothing is unpacked beyond the voxels but what the checksum needs.
"""

import bz2
import io
import math
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, Protocol, cast

import numpy as np
from isal import isal_zlib
from isal.igzip import IGzipFile
from numpy.typing import NDArray

from medseg.data.limits import require_voxels
from medseg.data.problems import Problem, Where

__all__ = ["FileVolume", "Packing", "Stored", "Unpacked", "packing_of", "read_voxels", "unpacked"]

Packing = Literal["raw", "gzip", "zlib", "bzip2"]

# Unpacked at once: stays in the processor's cache.
_STEP = 2**18
# Most bytes that follow the voxels, of a writer that pads its blocks.
_PADDING = 2**20
# Most bytes that a packed byte can become: of deflate, 258 for 2 bits; of bzip2, a block of zeros.
_MOST: dict[Packing, int] = {"raw": 1, "gzip": 1040, "zlib": 1040, "bzip2": 2**20}
_MAGIC: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"BZ": "bzip2"}


class FileVolume(NamedTuple):
    """Content of a file of one volume.

    Attributes:
        array: Voxels, axes as stored, slope and intercept applied.
        affine: `(4, 4)`, RAS+ in mm.
        dtype: Type of the stored values.
        doubts: Warnings about ambiguities of the header.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    dtype: str
    doubts: tuple[Problem, ...]


class _Stream(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


@dataclass
class Unpacked:
    """An unpacked stream.

    Attributes:
        stream: To be read from its current place.
        most: Bytes that are still to come at most; of a file that is not packed, exactly.
    """

    stream: _Stream
    most: int

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        buffer = bytearray(size)
        found = _fill(self.stream, memoryview(buffer))
        self.most -= found
        return bytes(buffer[:found])


class _ZlibStream(io.RawIOBase):
    """A zlib stream, as MetaImage has it, unpacked as far as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpack = cast("Any", isal_zlib).decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        while not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(_STEP)
            if not packed:
                raise EOFError("the compressed voxels end early")
            part = self._unpack.decompress(packed, len(view))
            if part:
                view[: len(part)] = part
                return len(part)
        return 0


def packing_of(head: bytes) -> Packing:
    """How a file is packed as a whole, by its first bytes: `gzip`, or else `raw`."""
    return "gzip" if _MAGIC.get(head[:2]) == "gzip" else "raw"


@contextmanager
def unpacked(file: IO[bytes], packing: Packing) -> Generator[Unpacked]:
    """Unpack a file from its current place on.

    Args:
        file: An open regular file.
        packing: How the rest of it is packed.
    """
    length = os.fstat(file.fileno()).st_size - file.tell()
    most = length * _MOST[packing]
    if packing == "raw":
        yield Unpacked(file, most)  # pyright: ignore[reportArgumentType] - an open file has readinto
    elif packing == "gzip":
        with IGzipFile(fileobj=file) as gzipped:
            yield Unpacked(gzipped, most)
    elif packing == "bzip2":
        with bz2.BZ2File(file) as bzipped:
            yield Unpacked(bzipped, most)
    else:
        yield Unpacked(_ZlibStream(file), most)


@dataclass(frozen=True)
class Stored:
    """What a header says of its voxels.

    Attributes:
        shape: Axes as stored, the first fastest.
        dtype: Their type, with its byte order.
        skip: Bytes before them, from the stream's current place.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    skip: int = 0


def read_voxels(path: Path, source: Unpacked, stored: Stored, *, where: Where) -> NDArray[Any]:
    """Read voxels, and the stream to its end, so that its checksum is compared.

    Args:
        path: Name in the error.
        source: The file's content, behind its header.
        stored: What the header says of them.
        where: Whether the error mentions an image or a label.

    Returns:
        The array of that shape and type, in Fortran order.

    Raises:
        InputError: If there are more voxels than the limit.
        ValueError: If there are fewer voxels than stated, or at least one more slice of them.
        EOFError: If the compressed stream ends early.
        zlib.error, OSError: If it is damaged.
    """
    shape = stored.shape
    expected = math.prod(shape) * stored.dtype.itemsize
    if source.most < stored.skip + expected:
        raise _too_few(expected, max(source.most - stored.skip, 0))
    require_voxels(path, shape, where=where)
    _skip(source.stream, stored.skip)
    content = np.empty(expected, np.uint8)
    found = _fill(source.stream, memoryview(cast("Any", content)))
    if found < expected:
        raise _too_few(expected, found)
    _refuse_more(source.stream, shape, expected)
    return content.view(stored.dtype).reshape(shape, order="F")


def _too_few(expected: int, found: int) -> ValueError:
    return ValueError(f"its header states {expected} bytes of voxels, the file has {found}")


def _skip(stream: _Stream, size: int) -> None:
    buffer = memoryview(bytearray(min(size, _STEP)))
    while size > 0:
        read = stream.readinto(buffer[: min(size, _STEP)])
        if not read:
            raise EOFError("the file ends before its voxels")
        size -= read


def _fill(stream: _Stream, buffer: memoryview) -> int:
    """Fill a buffer; returns the bytes read, fewer than its size only at the stream's end."""
    filled = 0
    while filled < len(buffer):
        read = stream.readinto(buffer[filled : filled + _STEP])
        if not read:
            break
        filled += read
    return filled


def _refuse_more(stream: _Stream, shape: tuple[int, ...], expected: int) -> None:
    # One slice more, and the header is of another volume; less is a block that was filled up.
    planes = next((size for size in reversed(shape) if size > 1), 1)
    most = min(max(expected // planes, 1) - 1, _PADDING)
    rest = _fill(stream, memoryview(bytearray(most + 1)))
    if rest > most:
        raise ValueError(f"its header states {expected} bytes of voxels, the file has more")
