"""DICOM input: the files of a folder tree, a zip or a single file, opened one at a time.

A zip is read in place: nothing is unpacked to disk, so malicious names in it have no effect, and
one file at a time is in memory. No message names a file or a folder: hospitals name them after
patients.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from medseg.data.problems import InputError, Problem, refusal
from medseg.data.walk import FETCH, walk_tree

__all__ = [
    "HEAD_BYTES",
    "MAX_ZIP_BYTES",
    "DicomInput",
    "dicom_error",
    "has_dicom_magic",
    "is_dicom",
    "open_input",
]

# Limit of the unpacked size of all files; a year of CT of one patient has less.
MAX_ZIP_BYTES = 32 * 2**30
ENCRYPTED = 0x1
INDEX = "DICOMDIR"
PREAMBLE = 128
ZIP_MAGIC = b"PK\x03\x04"
HEAD_BYTES = PREAMBLE + 4


@dataclass(frozen=True)
class DicomInput:
    """Files that may be DICOM.

    Attributes:
        names: Of all files but hidden ones and DICOMDIR, sorted, with `/`, relative to the
            folder or inside the zip.
        open: Opens one of them for reading.
        lost: Names, likewise, of links to nothing, and of pipes and devices.
        path: The folder, the zip or the file; must not be shown.
        stamp: Digest of the names, sizes and times of its files, which changes if one of them does.
    """

    names: tuple[str, ...]
    open: Callable[[str], IO[bytes]]
    lost: tuple[str, ...] = ()
    path: Path = field(default=Path(), repr=False)
    stamp: str = ""


def dicom_error(what: str, remedy: str, *, series_uid: str | None = None) -> InputError:
    """Create the error for a DICOM input, which names its series and not its path."""
    place = "DICOM input" if series_uid is None else f"DICOM series {series_uid}"
    return refusal(place, Problem("error", "image", what, remedy))


@contextmanager
def open_input(path: Path) -> Generator[DicomInput]:
    """Open a folder tree, a zip or one file.

    Raises:
        InputError: If the path does not exist or is no file, a folder below it cannot be opened,
            or the zip is damaged, encrypted or too large.
    """
    if path.is_dir():
        yield _folder(path)
    elif not path.is_file():
        raise _no_file(path)
    elif path.name.upper() == INDEX:
        raise dicom_error("is an index of images (DICOMDIR)", "give the folder that it lies in")
    elif path.suffix.lower() == ".zip" or _head(path).startswith(ZIP_MAGIC):
        if not zipfile.is_zipfile(path):
            raise dicom_error("the zip is damaged", "copy or export it again")
        with zipfile.ZipFile(path) as archive:
            yield _zip(archive, path)
    else:
        yield DicomInput((path.name,), lambda _: path.open("rb"), path=path, stamp=_stamp([path]))


def _no_file(path: Path) -> InputError:
    if path.exists():
        return dicom_error("is a pipe, device or socket, not a file", "give a regular file")
    if path.is_symlink():
        return dicom_error("is a link to a file that is not there", FETCH)
    return dicom_error("there is no such file or folder", "check the path")


def is_dicom(path: Path) -> bool:
    """Whether a path is read as DICOM: a folder, a zip, a `.dcm`, or a file with DICOM's magic."""
    if path.is_dir() or path.suffix.lower() in (".zip", ".dcm"):
        return True
    head = _head(path)
    return has_dicom_magic(head) or head.startswith(ZIP_MAGIC)


def _head(path: Path) -> bytes:
    if not path.is_file():  # opening a pipe may never end
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:
        return b""


def has_dicom_magic(head: bytes) -> bool:
    """Whether the first 132 bytes of a file are those of a DICOM file."""
    return head[PREAMBLE:HEAD_BYTES] == b"DICM"


def _folder(path: Path) -> DicomInput:
    tree = walk_tree(path)
    if tree.closed:
        what = f"{len(tree.closed)} folders cannot be opened"
        raise dicom_error(what, "check their permissions, or copy them again")
    names, lost = (
        tuple(filter(_is_wanted, (file.relative_to(path).as_posix() for file in files)))
        for files in (tree.files, (*tree.missing, *tree.special))
    )
    if lost and not names:
        raise dicom_error(f"all {len(lost)} files are links to files that are not there", FETCH)
    if not names:
        raise dicom_error("the folder is empty", "check the path")
    stamp = _stamp(path / name for name in names)
    return DicomInput(
        tuple(sorted(names)), lambda name: (path / name).open("rb"), lost, path=path, stamp=stamp
    )


def _zip(archive: zipfile.ZipFile, path: Path) -> DicomInput:
    members = {m.filename: m for m in archive.infolist() if not m.is_dir()}
    if any(member.flag_bits & ENCRYPTED for member in members.values()):
        raise dicom_error("the zip is encrypted", "unpack it and use the folder")
    # zipfile never reads a member beyond the size that the zip declares for it.
    size = sum(member.file_size for member in members.values())
    if size > MAX_ZIP_BYTES:
        limit = f"more than {MAX_ZIP_BYTES / 2**30:.0f} GiB"
        raise dicom_error(f"the zip unpacks to {limit}", "use a zip of fewer series, or a folder")
    names = tuple(sorted(filter(_is_wanted, members)))
    return DicomInput(
        names, lambda name: archive.open(members[name]), path=path, stamp=_stamp([path])
    )


def _stamp(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with suppress(OSError):  # whoever opens it is told
            stat = file.stat()
            digest.update(os.fsencode(f"{file.name} {stat.st_size} {stat.st_mtime_ns}\n"))
    return digest.hexdigest()


def _is_wanted(name: str) -> bool:
    folders, _, file = name.rpartition("/")
    hidden = any(map(_is_hidden, (*folders.split("/"), file)))
    return not hidden and file.upper() != INDEX


def _is_hidden(part: str) -> bool:
    return part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))
