"""Data of a zip's members, unpacked step by step and held against size and checksum."""

import zlib
from collections.abc import Generator, Iterator
from typing import BinaryIO

from medseg.bundles.judgement.zips.zip_layout import STORED, Member

__all__ = ["unpacked"]

# Of most files, only the beginning is wanted.
_FIRST_STEP, _STEP = 2**14, 2**20


def unpacked(file: BinaryIO, member: Member) -> Generator[bytes]:
    """The bytes of a member, in pieces of at most 1 MiB; never more than the directory states.

    Raises:
        zlib.error: If they are damaged, or are of another number; perhaps after some pieces.
    """
    file.seek(member.begin)
    crc, size = 0, 0
    chunks = _stored(file, member) if member.method == STORED else _inflated(file, member)
    for chunk in chunks:
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        yield chunk
    if (crc, size) != (member.crc, member.size):
        raise zlib.error("it is damaged: its checksum or its size is another")


def _stored(file: BinaryIO, member: Member) -> Iterator[bytes]:
    rest, step = member.packed, _FIRST_STEP
    while rest > 0:
        chunk = file.read(min(step, rest))
        if not chunk:
            return
        yield chunk
        rest, step = rest - len(chunk), _STEP


def _inflated(file: BinaryIO, member: Member) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    packed, room = member.packed, member.size
    waiting, step = b"", _FIRST_STEP
    while not stream.eof:
        if not waiting and packed:
            waiting = file.read(min(step, packed))
            packed -= len(waiting) or packed
        # One byte more than there is room for shows that there is more.
        chunk = stream.decompress(waiting, min(step, room + 1))
        room -= len(chunk)
        if room < 0 or (not chunk and not waiting and not stream.eof):
            raise zlib.error("it is damaged: it unpacks to another size")
        waiting, step = stream.unconsumed_tail, _STEP
        yield chunk
    if packed or waiting or stream.unused_data:
        raise zlib.error("it is damaged: bytes follow its end")
