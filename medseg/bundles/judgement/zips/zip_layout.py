"""Layout of a zip: its directory held against its local headers, every byte accounted for.

Readers of zips differ: some believe the directory at the end, others the header before each file,
some take what lies before or between. What one of them judges another unpacks. Hence only zips are
read on which all of them agree: local headers that say what the directory says, one after the
other from the first byte, then the directory, then the end; sizes within limits, checked before
anything is unpacked.

Reference:
    PKWARE, APPNOTE.TXT 6.3.10. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import stat
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from medseg._text import printable
from medseg.bundles.judgement.zips.zip_end import UnsafeZipError, bytes_at, find_directory
from medseg.errors import DataError

__all__ = ["STORED", "Member", "read_members"]

STORED = 0
_DEFLATED = 8

_LARGEST_FILE = 2**34
_LARGEST_TOTAL = 2**35
# A zip of zeros is a thousand times smaller than they are; images and weights seldom ten times.
_MOST_RATIO = 100
# What unpacks to no more than this harms nobody, whatever its ratio.
_HARMLESS = 2**26

_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_FULL32 = 0xFFFFFFFF
# Bits of the flags: how hard deflate tried, sizes after the data, names in UTF-8.
_EFFORT, _TRAILED, _UTF8 = 0b110, 1 << 3, 1 << 11
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
# Times and owners (Info-ZIP, NTFS), Java's mark, and torch's and Android's padding. Others may hold
# another name, a link's target or a key.
_EXTRAS = frozenset(
    {_ZIP64, _UNICODE_PATH, 0x000A, 0x5455, 0x5855, 0x7855, 0x7875, 0xCAFE, 0x4246, 0xD935}
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file or folder of a zip.

    Attributes:
        name: As it stands there; that of a folder ends in `/`.
        mode: Unix's kind and permissions; 0 where the zip has none.
        method: 0 for stored, 8 for deflated.
        crc: CRC-32 of its unpacked bytes.
        packed: Size in the zip, in bytes.
        size: Unpacked size, in bytes.
        header: Offset of its local header.
        begin: Offset of its first byte.
    """

    name: str
    mode: int
    method: int
    crc: int
    packed: int
    size: int
    header: int
    begin: int


@dataclass(frozen=True)
class _Stated:
    """An entry of the directory, with what its local header has to repeat."""

    member: Member
    raw_name: bytes
    flags: int


def read_members(file: BinaryIO, where: str) -> tuple[Member, ...]:
    """The members of a zip, in the order of its directory.

    Args:
        file: The zip; nothing of it is unpacked.
        where: What it is called in messages.

    Raises:
        DataError: If it is no zip.
        UnsafeZipError: If it contradicts itself, is split, encrypted, packed in an unusual way, or
            unpacks to more than it may.
    """
    try:
        size = file.seek(0, 2)
        count, begin, end = find_directory(file, size)
        stated = tuple(_entries(bytes_at(file, begin, end - begin), count))
        _require_limits([entry.member for entry in stated], size)
        return _held_against_local(file, stated, begin)
    except UnsafeZipError as error:
        raise UnsafeZipError(f"{where}: {error}") from error
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _entries(content: bytes, count: int) -> Iterator[_Stated]:
    at = 0
    for _ in range(count):
        if content[at : at + 4] != b"PK\x01\x02" or len(content) - at < _ENTRY.size:
            raise UnsafeZipError("has fewer entries in its directory than it states")
        head = _ENTRY.unpack_from(content, at)
        name_end = at + _ENTRY.size + head[10]
        extra_end = name_end + head[11]
        name = content[at + _ENTRY.size : name_end]
        yield _entry(head, name, content[name_end:extra_end])
        at = extra_end + head[12]
    if at != len(content):
        raise UnsafeZipError("has more in its directory than the entries that it states")


def _entry(head: tuple[int, ...], raw_name: bytes, extra: bytes) -> _Stated:
    flags, method, crc, packed, size = head[3], head[4], head[7], head[8], head[9]
    name = _name(raw_name, flags)
    told = f"entry {printable(name)[:100]!r}"
    fields = _extras(extra, raw_name, told)
    size, packed, header = _large(fields, (size, packed, head[16]), told)
    if head[13]:
        raise UnsafeZipError(f"{told} begins in another part of a split zip")
    if flags & _ENCRYPTED:
        raise UnsafeZipError(f"{told} is encrypted; zip the folder without a password")
    if flags & ~(_EFFORT | _TRAILED | _UTF8) or method not in (STORED, _DEFLATED):
        raise UnsafeZipError(f"{told} is packed by method {method}; zip the folder with deflate")
    if method == STORED and size != packed:
        raise UnsafeZipError(f"{told} is stored, and has two sizes")
    mode, is_folder = head[15] >> 16, bool(head[15] & 0x10)
    if is_folder and not name.endswith("/"):
        raise UnsafeZipError(f"{told} is a folder by its attributes and a file by its name")
    if name.endswith("/") and (size or stat.S_IFMT(mode) not in (0, stat.S_IFDIR)):
        raise UnsafeZipError(f"{told} is a folder that holds bytes, or is none")
    member = Member(
        name=name,
        mode=mode,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        header=header,
        begin=0,
    )
    return _Stated(member, raw_name, flags)


def _name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        shown = ascii(raw[:60])[2:-1]
        raise UnsafeZipError(f"entry '{shown}' has a name that is not marked as UTF-8") from None


def _extras(extra: bytes, raw_name: bytes, told: str) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        at += 4 + length
        if kind not in _EXTRAS or kind in fields or at > len(extra):
            raise UnsafeZipError(f"{told} has an extra field {kind:#06x} that not all readers know")
        fields[kind] = extra[at - length : at]
    if any(extra[at:]):
        raise UnsafeZipError(f"{told} has an extra field that is cut off")
    if fields.get(_UNICODE_PATH, b"12345" + raw_name)[5:] != raw_name:
        raise UnsafeZipError(f"{told} has a second name")
    return fields


def _large(fields: dict[int, bytes], short: Sequence[int], told: str) -> tuple[int, ...]:
    """Values of 32 bits, or those of 64 that stand for them, which are in the same order."""
    content = fields.get(_ZIP64, b"")
    full = [value == _FULL32 for value in short]
    if len(content) != 8 * sum(full):
        raise UnsafeZipError(f"{told} has 64-bit sizes that are not where they belong")
    large = iter(struct.unpack(f"<{sum(full)}Q", content))
    return tuple(
        next(large) if is_full else value for value, is_full in zip(short, full, strict=True)
    )


def _require_limits(members: Sequence[Member], zip_size: int) -> None:
    for member in members:
        told = f"entry {printable(member.name)[:100]!r}"
        if member.size > _LARGEST_FILE:
            raise UnsafeZipError(f"{told} unpacks to more than {_LARGEST_FILE >> 30} GiB")
        if member.size > _HARMLESS + _MOST_RATIO * member.packed:
            raise UnsafeZipError(f"{told} unpacks to more than {_MOST_RATIO} times its size")
    total = sum(member.size for member in members)
    if total > min(_LARGEST_TOTAL, _HARMLESS + _MOST_RATIO * zip_size):
        raise UnsafeZipError(f"unpacks to {total:,} bytes, more than a zip of its size may")


def _held_against_local(
    file: BinaryIO, stated: Sequence[_Stated], directory: int
) -> tuple[Member, ...]:
    in_order = sorted(stated, key=lambda entry: entry.member.header)
    ends = [*(entry.member.header for entry in in_order[1:]), directory][: len(in_order)]
    begins: dict[int, int] = {}
    place = 0
    for entry, end in zip(in_order, ends, strict=True):
        if entry.member.header != place or place in begins:
            raise UnsafeZipError("has files that overlap, or bytes between them")
        begins[place] = _local_begin(file, entry, end)
        place = end
    if place != directory:
        raise UnsafeZipError("has bytes before its directory, and no files")
    return tuple(replace(e.member, begin=begins[e.member.header]) for e in stated)


def _local_begin(file: BinaryIO, entry: _Stated, end: int) -> int:
    member = entry.member
    told = f"entry {printable(member.name)[:100]!r}"
    raw = bytes_at(file, member.header, _LOCAL.size)
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\x03\x04":
        raise UnsafeZipError(f"{told} has no header where the directory says")
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(raw)
    after = bytes_at(file, member.header + _LOCAL.size, name_length + extra_length)
    if (after[:name_length], flags, method) != (entry.raw_name, entry.flags, member.method):
        raise UnsafeZipError(f"{told} has another name or method in its own header")
    fields = _extras(after[name_length:], entry.raw_name, told)
    size, packed = _local_sizes(fields, size, packed, told)
    begin = member.header + _LOCAL.size + name_length + extra_length
    trailer = bytes_at(file, begin + member.packed, max(0, end - begin - member.packed))
    ours = (member.crc, member.packed, member.size)
    if flags & _TRAILED:
        agree = (crc, packed, size) in ((0, 0, 0), ours) and trailer in _trailers(member)
    else:
        agree = (crc, packed, size) == ours and not trailer
    if not agree or begin + member.packed + len(trailer) != end:
        raise UnsafeZipError(f"{told} has other sizes in its own header, or overlaps the next")
    return begin


def _local_sizes(fields: dict[int, bytes], size: int, packed: int, told: str) -> tuple[int, int]:
    if _ZIP64 not in fields:
        return size, packed
    if len(fields[_ZIP64]) != 16 or (size, packed) != (_FULL32, _FULL32):
        raise UnsafeZipError(f"{told} has 64-bit sizes that are not where they belong")
    large_size, large_packed = struct.unpack("<2Q", fields[_ZIP64])
    return large_size, large_packed


def _trailers(member: Member) -> tuple[bytes, ...]:
    """The forms of the record after the data: with and without its mark, in 32 and 64 bits."""
    short = struct.pack("<I", member.crc)
    sizes = [struct.pack("<2Q", member.packed, member.size)]
    if max(member.packed, member.size) <= _FULL32:
        sizes.append(struct.pack("<2I", member.packed, member.size))
    return tuple(mark + short + both for both in sizes for mark in (b"PK\x07\x08", b""))
