"""End of a zip, where its directory is found: one end, of one part, with nothing after it."""

import re
import struct
from typing import BinaryIO

from medseg.errors import DataError, ExitCode

__all__ = ["UnsafeZipError", "bytes_at", "find_directory", "has_zip_at_end"]

_MOST_ENTRIES = 10_000
_MOST_DIRECTORY = 2**22
_MOST_COMMENT = 2**16
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


class UnsafeZipError(DataError):
    """A zip that says two things, or would unpack to more than it may."""

    exit_code = ExitCode.REFUSED


def find_directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Find a zip's directory.

    Args:
        file: The zip.
        size: In bytes.

    Returns:
        Number of entries, offset of the directory, and that of the byte after it.

    Raises:
        DataError: If it is no zip.
        UnsafeZipError: If it has several ends, several parts, or bytes that belong to nothing.
    """
    place, end = _end(file, size)
    disk, first_disk, here, count, length, begin = end[1:7]
    after = place
    locator = bytes_at(file, place - _LOCATOR64.size, _LOCATOR64.size) if place >= 20 else b""
    if locator[:4] == b"PK\x06\x07":
        after, large = _end64(file, place - _LOCATOR64.size, _LOCATOR64.unpack(locator))
        ours = (disk, first_disk, here, count, length, begin)
        if any(
            a not in (b, f)
            for a, b, f in zip(ours, large, (_FULL16,) * 4 + (_FULL32,) * 2, strict=True)
        ):
            raise UnsafeZipError("its two records of the end contradict each other")
        disk, first_disk, here, count, length, begin = large
    if disk or first_disk or here != count:
        raise UnsafeZipError("is one of several parts of a split zip; join them first")
    if count > _MOST_ENTRIES or length > _MOST_DIRECTORY:
        raise UnsafeZipError(f"has more than {_MOST_ENTRIES:,} entries, or very long names")
    if begin + length != after:
        raise UnsafeZipError("has bytes beside its files and its directory; zip the folder anew")
    return count, begin, after


def has_zip_at_end(tail: bytes) -> bool:
    """Whether a file ends as a zip does, whatever it begins with.

    Args:
        tail: Its last bytes, 64 KiB or more if it has them.
    """
    return bool(_ends(tail))


def _ends(tail: bytes) -> list[tuple[int, tuple[int, ...]]]:
    """Offsets and contents of the ends that reach to the last byte."""
    places = [found.start() for found in re.finditer(rb"PK\x05\x06", tail)]
    ends = [(at, _END.unpack_from(tail, at)) for at in places if len(tail) - at >= _END.size]
    return [(at, end) for at, end in ends if at + _END.size + end[7] == len(tail)]


def _end(file: BinaryIO, size: int) -> tuple[int, tuple[int, ...]]:
    reach = min(size, _END.size + _MOST_COMMENT)
    tail = bytes_at(file, size - reach, reach)
    last = tail.rfind(b"PK\x05\x06")
    if last < 0:
        raise DataError("is no zip, or the end of it is missing; fetch it again")
    # That of a zip within may be there too, but only one may reach to the end of this one.
    ends = _ends(tail)
    if len(ends) != 1 or ends[0][0] != last:
        raise UnsafeZipError("has two ends, or bytes after its end; zip the folder anew")
    return size - reach + last, ends[0][1]


def _end64(file: BinaryIO, at: int, locator: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    _, disk, place, disks = locator
    if disk or disks > 1 or place + _END64.size != at:
        raise UnsafeZipError("has a 64-bit record of its end that is not before its end")
    found = _END64.unpack(bytes_at(file, place, _END64.size))
    if found[0] != b"PK\x06\x06" or found[1] != _END64.size - 12:
        raise UnsafeZipError("has a 64-bit record of its end that is none")
    return place, found[4:]


def bytes_at(file: BinaryIO, begin: int, length: int) -> bytes:
    """Bytes of a file from an offset on; fewer at its end.

    Raises:
        UnsafeZipError: If the offset is negative.
    """
    if begin < 0:
        raise UnsafeZipError("states places before its first byte")
    file.seek(begin)
    return file.read(length)
