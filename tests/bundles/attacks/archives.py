"""Zips: names that slip, headers that contradict each other, bombs, archives in archives."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.bundles.attacks.case import CONFIG, METADATA, Attack, base_config, config_of

__all__ = ["ARCHIVES", "sound_zip"]

TRUST = "needs trust"
NEVER = "refused"
Content = str | bytes
SOUND: dict[str, Content] = {
    "b/LICENSE": "Apache License, Version 2.0\n",
    "b/configs/metadata.json": METADATA,
    f"b/{CONFIG}": base_config(),
    "b/docs/README.md": "# A phantom bundle\n",
}


def sound_zip(more: dict[str, Content] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The harmless bundle as a zip, with entries added or replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in {**SOUND, **(more or {})}.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def _made(name: str, content: Callable[[], bytes], least: str = NEVER) -> Attack:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True)
        path = folder / "b.zip"
        path.write_bytes(content())
        return path

    return Attack(name, least, make)


def _named(name: str, entry: str, least: str = NEVER) -> Attack:
    return _made(name, lambda: sound_zip({entry: "x"}), least)


def _attributes(name: str, mode: int, content: str = "x") -> Attack:
    def build() -> bytes:
        stream = io.BytesIO(sound_zip())
        with zipfile.ZipFile(stream, "a") as archive:
            entry = zipfile.ZipInfo("b/docs/x.txt")
            entry.create_system = 3
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
        return stream.getvalue()

    return _made(name, build, TRUST)


def _patched(name: str, at: bytes, offset: int, new: bytes, which: str = "first") -> Attack:
    """A sound zip with some bytes replaced, counted from a signature."""

    def build() -> bytes:
        content = sound_zip()
        start = (content.find(at) if which == "first" else content.rfind(at)) + offset
        return content[:start] + new + content[start + len(new) :]

    return _made(name, build)


LOCAL, DIRECTORY, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def _twice() -> bytes:
    """Two entries of one name: readers differ in which they take."""
    content = sound_zip({"b/configs/inferencE.yaml": config_of("x: \"$open('canary', 'w')\"")})
    return content.replace(b"b/configs/inferencE.yaml", b"b/configs/inference.yaml")


def _other_local_name() -> bytes:
    """The directory says a text, the local header a module."""
    return sound_zip({"b/docs/abcd.txt": "x"}).replace(b"b/docs/abcd.txt", b"b/mimetypes.py\0", 1)


def _overlapping() -> bytes:
    """Every entry of the directory points to the one large local entry."""
    content = sound_zip({"b/docs/zeros.txt": b"\0" * 1_000_000})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        large = archive.getinfo("b/docs/zeros.txt")
    at = content.rfind(DIRECTORY)
    entry = content[at : at + 46 + len(large.filename)]
    more = b"".join(
        entry[:28] + entry[28:46] + f"b/docs/zero{i:1d}.txt".encode() for i in range(10)
    )
    more = more.replace(b"b/docs/zero", b"b/docs/zer0")
    end = content.rfind(END)
    start = content.find(DIRECTORY)
    directory = content[start:end] + more
    count = len(SOUND) + 11
    return (
        content[:start]
        + directory
        + struct.pack("<4sHHHHIIH", END, 0, 0, count, count, len(directory), start, 0)
    )


def _unicode_path() -> bytes:
    """An extra field by which Info-ZIP gives the entry another name."""
    stream = io.BytesIO(sound_zip())
    with zipfile.ZipFile(stream, "a") as archive:
        name = b"b/docs/plain.txt"
        entry = zipfile.ZipInfo(name.decode())
        other = b"\x01" + struct.pack("<I", zlib.crc32(name)) + b"b/mimetypes.py"
        entry.extra = struct.pack("<HH", 0x7075, len(other)) + other
        archive.writestr(entry, "x")
    return stream.getvalue()


def _two_directories() -> bytes:
    """A second end record in the comment, which reads another directory."""
    first, second = sound_zip(), sound_zip({"b/mimetypes.py": "x"})
    at = first.rfind(END)
    return first[: at + 20] + struct.pack("<H", len(second)) + second


def _many() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in SOUND.items():
            archive.writestr(name, content)
        for i in range(30_000):
            archive.writestr(zipfile.ZipInfo(f"b/docs/{i}.txt"), "")
    return stream.getvalue()


def _bomb_of_bombs() -> bytes:
    return sound_zip({"b/docs/x.zip": sound_zip({"b/z": b"\0" * 5_000_000})})


def _size_that_lies() -> bytes:
    """The directory says ten bytes, what is packed is ten million."""
    content = sound_zip({"b/docs/zeros.txt": b"\0" * 10_000_000})
    real = struct.pack("<I", 10_000_000)
    return content.replace(real, struct.pack("<I", 10))


ARCHIVES: list[Attack] = [
    _named("name above the folder", "b/../../canary.txt"),
    _named("name above, at once", "../canary.txt"),
    _named("name above, at its end", "b/docs/.."),
    _named("absolute name", "/tmp/canary.txt"),
    _named("name on a drive", "C:/canary.txt"),
    _named("name with backslashes", "b\\..\\..\\canary.txt"),
    _named("name on a share", "//server/share/canary.txt"),
    _named("empty part of a name", "b//docs/x.txt"),
    _named("dot as a part of a name", "b/./docs/x.txt"),
    _named("name with a control character", "b/docs/x\x07.txt"),
    _named("name with an escape sequence", "b/docs/x\x1b[2Jverdict: safe.txt"),
    _named("name that runs from right to left", "b/docs/x\u202etxt.exe"),
    _named("device of Windows", "b/docs/aux.txt"),
    _named("name that ends in a space", "b/docs/x.txt "),
    _named("name that ends in a dot", "b/docs/x.txt."),
    _named("name of 5,000 letters", "b/docs/" + "x" * 5_000),
    _named("name of 3,000 folders", "b/" + "d/" * 3_000 + "x.txt"),
    _named("names that differ by case", "b/license"),
    _named("file that is a folder as well", "b/LICENSE/x.txt"),
    _named("second top folder", "c/x.txt"),
    _named("file beside the top folder", "x.txt"),
    _named("module in a zip", "b/mimetypes.py", TRUST),
    _made(
        "names that differ by Unicode form",
        lambda: sound_zip({"b/docs/\u00e9.txt": "x", "b/docs/e\u0301.txt": "y"}),
    ),
    _made(
        "names that differ by folding",
        lambda: sound_zip({"b/docs/stra\u00dfe.txt": "x", "b/docs/strasse.txt": "y"}),
    ),
    _made(
        "names that differ by compatibility",
        lambda: sound_zip({"b/docs/\ufb01.txt": "x", "b/docs/fi.txt": "y"}),
    ),
    _made(
        "code in a zip",
        lambda: sound_zip({f"b/{CONFIG}": config_of("x: \"$open('canary', 'w')\"")}),
        TRUST,
    ),
    _made("one name twice", _twice),
    _attributes("symbolic link", stat.S_IFLNK | 0o777, "/etc/passwd"),
    _attributes("pipe", stat.S_IFIFO | 0o644),
    _attributes("device", stat.S_IFCHR | 0o644),
    _attributes("socket", stat.S_IFSOCK | 0o644),
    _attributes("program that runs as its owner", stat.S_IFREG | 0o4755),
    _made("local header with another name", _other_local_name),
    _patched("local header with another size", LOCAL, 22, struct.pack("<I", 7)),
    _patched("local header with another method", LOCAL, 8, struct.pack("<H", 0)),
    _patched("directory with another checksum", DIRECTORY, 16, b"\1\2\3\4"),
    _patched("encrypted entry", DIRECTORY, 8, b"\x01\x00"),
    _patched("compression that nobody knows", DIRECTORY, 10, struct.pack("<H", 97)),
    _patched("entry on another disk", DIRECTORY, 34, struct.pack("<H", 3)),
    _patched("entry behind the file's end", DIRECTORY, 42, struct.pack("<I", 2**31)),
    _patched("end record on another disk", END, 4, struct.pack("<H", 1), "last"),
    _patched("end record with fewer entries", END, 10, struct.pack("<H", 1), "last"),
    _patched("end record with a directory elsewhere", END, 16, struct.pack("<I", 0), "last"),
    _made("entries that overlap", _overlapping),
    _made("program before the zip", lambda: b"#!/bin/sh\ntouch canary\nexit\n" + sound_zip()),
    _made("bytes behind the zip", lambda: sound_zip() + b"x" * 1000),
    _made("second zip in the comment", _two_directories),
    _made("second zip behind the first", lambda: sound_zip() + sound_zip({"b/mimetypes.py": "x"})),
    _made("name in an extra field", _unicode_path),
    _made("ratio of a thousand", lambda: sound_zip({"b/docs/zeros.txt": b"\0" * 100_000_000})),
    _made(
        "config of 100 million zeros", lambda: sound_zip({"b/configs/x.json": b"\0" * 100_000_000})
    ),
    _made("size that lies", _size_that_lies),
    _made("30,000 entries", _many),
    _made("zip in a zip", _bomb_of_bombs, TRUST),
    _made("packed by bzip2", lambda: sound_zip(method=zipfile.ZIP_BZIP2)),
    _made("packed by LZMA", lambda: sound_zip(method=zipfile.ZIP_LZMA)),
    _made("cut off", lambda: sound_zip()[:-40]),
    _made("empty", lambda: b""),
    _made("empty zip", lambda: struct.pack("<4sHHHHIIH", END, 0, 0, 0, 0, 0, 0, 0)),
    _made("no zip", lambda: b"\x1f\x8b\x08\0" + b"\0" * 60),
    _made(
        "zip64 of a size beyond all disks",
        lambda: (
            sound_zip().replace(struct.pack("<H", 0) + LOCAL, LOCAL)[:-22]
            + struct.pack("<4sHHHHIIH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        ),
    ),
]
