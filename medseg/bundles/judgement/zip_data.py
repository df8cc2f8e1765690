"""Data of a zip's members, unpacked step by step and held against size and checksum."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from medseg.bundles.judgement.zip_layout import STORED, Member

__all__ = ["unpacked"]

_STEP = 2**20


def unpacked(file: BinaryIO, member: Member) -> Iterator[bytes]:
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
    for begin in range(0, member.packed, _STEP):
        yield file.read(min(_STEP, member.packed - begin))


def _inflated(file: BinaryIO, member: Member) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    packed, room = member.packed, member.size
    waiting = b""
    while not stream.eof:
        if not waiting and packed:
            waiting = file.read(min(_STEP, packed))
            packed -= len(waiting) or packed
        # One byte more than there is room for shows that there is more.
        chunk = stream.decompress(waiting, min(_STEP, room + 1))
        room -= len(chunk)
        if room < 0 or (not chunk and not waiting and not stream.eof):
            raise zlib.error("it is damaged: it unpacks to another size")
        waiting = stream.unconsumed_tail
        yield chunk
    if packed or waiting or stream.unused_data:
        raise zlib.error("it is damaged: bytes follow its end")
