"""Reading of a DICOM file by pydicom, bounded: a small file cannot ask for much memory.

pydicom inflates a deflated file as a whole, whatever it grows to. Here it is inflated in steps, as
far as its own header says that pixels go.
"""

import io
import zlib
from collections.abc import Sequence
from typing import IO, Any, Literal, cast

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from medseg.data.dicom.input import HEAD_BYTES, has_dicom_magic
from medseg.data.limits import max_voxels

__all__ = ["MAX_HEADER_BYTES", "InflationError", "read_dataset"]

# A header of an enhanced multi-frame file has some 2 KB a frame.
MAX_HEADER_BYTES = 64 * 2**20
MAX_ITEMS = 2**18
ITEM = b"\xfe\xff\x00\xe0"
STEP = 2**20
LARGE = 2**24
FIRST_BYTES = 1024
META_GROUP, SYNTAX_ELEMENT = b"\x02\x00", b"\x10\x00"
DEFLATED = str(DeflatedExplicitVRLittleEndian).encode()
# VRs with 4 bytes of length after 2 reserved ones.
LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"}
SIZES = ["Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated"]


class InflationError(ValueError):
    """A deflated file that inflates to more than its header states."""


def read_dataset(
    stream: IO[bytes], keywords: Sequence[str], *, pixels: Literal["read", "leave"]
) -> Dataset:
    """Read the given elements of a file, with its pixels or up to them.

    Elements before the pixels that are larger than any header are left out.

    Raises:
        InflationError: If a deflated file is larger inside than its pixels and a header.
        Exception: Almost any, from pydicom, if the file is damaged.
    """
    stop = pixels == "leave"
    start = _deflated_start(stream)
    if start is not None:
        stream = _inflated(stream, start, stop=stop)
    # What a file on disk has is bounded by its length.
    on_disk = isinstance(stream, io.BufferedReader)
    return cast("Any", pydicom).dcmread(
        stream if on_disk else _Steps(stream, MAX_HEADER_BYTES if stop else None),
        stop_before_pixels=stop,
        force=True,
        specific_tags=list(keywords),
        defer_size=MAX_HEADER_BYTES if stop else None,
    )


class _Steps:
    """A stream that is read in steps, so that a length beyond the file's end asks for no memory.

    Args:
        stream: Member of a zip, or an inflated file.
        most: Most bytes that may be read, not those that are skipped; None for any number.
    """

    def __init__(self, stream: IO[bytes], most: int | None) -> None:
        self._stream = stream
        self._left = most
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int = -1) -> bytes:
        """Read, like a stream.

        Raises:
            ValueError: If that is more than may be read.
        """
        content = self._stream.read(min(count, LARGE)) if count >= 0 else self._stream.read()
        if count > LARGE == len(content):
            content = self._rest(content, count)
        if self._left is not None:
            self._left -= len(content)
            if self._left < 0:
                raise ValueError
        return content

    def _rest(self, first: bytes, count: int) -> bytes:
        content = bytearray(first)
        while len(content) < count and (self._left is None or len(content) <= self._left):
            part = self._stream.read(min(count - len(content), LARGE))
            if not part:
                break
            content += part
        return bytes(content)


def _deflated_start(stream: IO[bytes]) -> int | None:
    """Where the deflated part of a file begins; None if it is not deflated."""
    stream.seek(0)
    begin = stream.read(FIRST_BYTES)
    place = HEAD_BYTES if has_dicom_magic(begin) else 0
    syntax = b""
    while True:
        head = _at(stream, begin, place, 12)
        if len(head) < 12 or head[:2] != META_GROUP:
            break
        offset, length = _value_span(head)
        if head[2:4] == SYNTAX_ELEMENT:
            syntax = _at(stream, begin, place + offset, min(length, HEAD_BYTES)).rstrip(b"\0 ")
        place += offset + length
    stream.seek(0)
    return place if syntax == DEFLATED else None


def _at(stream: IO[bytes], begin: bytes, place: int, count: int) -> bytes:
    """Some bytes of a stream, mostly from those at its beginning."""
    if place + count <= len(begin):
        return begin[place : place + count]
    stream.seek(place)
    return stream.read(count)


def _value_span(head: bytes) -> tuple[int, int]:
    """Offset and length of an element's value, from the element's first 12 bytes."""
    if head[4:6] in LONG:
        return 12, int.from_bytes(head[8:12], "little")
    if head[4:6].isalpha() and head[4:6].isupper():
        return 8, int.from_bytes(head[6:8], "little")
    return 8, int.from_bytes(head[4:8], "little")


def _inflated(stream: IO[bytes], start: int, *, stop: bool) -> IO[bytes]:
    """The file as if it had never been deflated; with `stop` at least its header."""
    stream.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = _plain_head()
    _inflate(stream, inflater, content, MAX_HEADER_BYTES)
    if content.getvalue().count(ITEM) > MAX_ITEMS:
        raise InflationError
    if not stop and not inflater.eof:
        most = _pixel_bytes(content) + MAX_HEADER_BYTES
        _inflate(stream, inflater, content, most)
        if not inflater.eof:
            raise InflationError
    content.seek(0)
    return content


def _plain_head() -> io.BytesIO:
    """A preamble, and the syntax that is inside a deflated file."""
    uid = str(ExplicitVRLittleEndian).encode()
    uid += b"\0" * (len(uid) % 2)
    head = io.BytesIO()
    head.write(bytes(128) + b"DICM\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid)
    return head


def _inflate(stream: IO[bytes], inflater: Any, content: io.BytesIO, most: int) -> None:
    """Inflate on, until the end or `most` bytes of content."""
    while not inflater.eof and content.tell() < most:
        given = inflater.unconsumed_tail or stream.read(STEP)
        part = inflater.decompress(given, STEP)
        if not (given or part):
            return
        content.write(part)


def _pixel_bytes(content: io.BytesIO) -> int:
    content.seek(0)
    header = cast("Any", pydicom).dcmread(content, stop_before_pixels=True, specific_tags=SIZES)
    content.seek(0, io.SEEK_END)
    rows, columns, frames, samples, bits = (int(header.get(key) or 1) for key in SIZES)
    voxels = rows * columns * frames
    if voxels > max_voxels():
        raise InflationError
    return voxels * samples * bits // 8
