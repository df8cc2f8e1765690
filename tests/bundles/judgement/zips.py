"""Zips made by hand for tests, also such as no library writes."""

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

LINK = stat.S_IFLNK | 0o777


def zip_of(path: Path, files: dict[str, bytes], *, mode: int = 0, method: int = 8) -> Path:
    """A zip as Python's library writes it."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = method
            file.writestr(entry, content)
    return path


@dataclass
class Raw:
    """An entry of a zip, with what the directory says and what its own header says."""

    name: bytes = b"demo/a"
    content: bytes = b"hello"
    local_name: bytes | None = None
    size: int | None = None
    local_size: int | None = None
    flags: int = 0
    method: int = 0
    extra: bytes = b""
    attributes: int = 0
    offset: int | None = None
    disk: int = 0

    def local(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        size = len(self.content) if self.local_size is None else self.local_size
        packed = len(self.content)
        head = (b"PK\3\4", 20, self.flags, self.method, 0, 33, zlib.crc32(self.content))
        return struct.pack("<4s5H3I2H", *head, packed, size, len(name), 0) + name + self.content

    def entry(self, offset: int) -> bytes:
        size = len(self.content) if self.size is None else self.size
        at = offset if self.offset is None else self.offset
        head = (b"PK\1\2", 20, 20, self.flags, self.method, 0, 33, zlib.crc32(self.content))
        lengths = (len(self.content), size, len(self.name), len(self.extra), 0, self.disk, 0)
        packed = struct.pack("<4s6H3I5H2I", *head, *lengths, self.attributes, at)
        return packed + self.name + self.extra


def raw_zip(
    path: Path,
    *entries: Raw,
    before: bytes = b"",
    between: bytes = b"",
    count: int | None = None,
    end: bytes | None = None,
    comment: bytes = b"",
) -> Path:
    """A zip of these entries; `count` and `end` replace what its end states."""
    body, directory = before, b""
    for entry in entries:
        directory += entry.entry(len(body))
        body += entry.local() + between
    number = len(entries) if count is None else count
    numbers = (0, 0, number, number, len(directory), len(body), len(comment))
    written = struct.pack("<4s4H2IH", b"PK\5\6", *numbers) + comment
    path.write_bytes(body + directory + (written if end is None else end))
    return path
