"""File of a label in DICOM: found in a folder, and told apart by its SOP class."""

import io
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from medseg._checks import first_few
from medseg.data.dicom.dataset import MAX_HEADER_BYTES, read_dataset
from medseg.data.dicom.tags import first_text, quiet_pydicom
from medseg.data.problems import InputError, Problem, refusal
from medseg.data.walk import walk_tree
from medseg.errors import MedsegError

__all__ = [
    "LabelFileKind",
    "label_error",
    "label_file",
    "one_line",
    "open_bounded",
    "read_label_header",
]

LabelFileKind = Literal["SEG", "RTSTRUCT"]
_KINDS: dict[str, LabelFileKind] = {
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG",
    "1.2.840.10008.5.1.4.1.1.66.7": "SEG",
    "1.2.840.10008.5.1.4.1.1.481.3": "RTSTRUCT",
}
# Files of a folder that are looked at; a series of slices has no label among them.
_MOST = 2000
_UNDEFINED = 0xFFFFFFFF


def label_file(path: Path) -> tuple[Path, LabelFileKind] | None:
    """The SEG or RTSTRUCT that a path is, or that is the only one in a folder.

    Returns:
        The file and its kind; None if there is none, as in a folder of slices.

    Raises:
        InputError: If a folder holds several.
    """
    files = [path] if not path.is_dir() else list(walk_tree(path).files[:_MOST])
    found: list[tuple[Path, LabelFileKind]] = []
    for file in files:
        kind = _kind(file)
        if kind is not None:
            found.append((file, kind))
    if len(found) > 1:
        names = first_few((file.name for file, _ in found), 3)
        what = f"holds {len(found)} SEG or RTSTRUCT files: {names}"
        raise label_error(path, what, "name the file, or keep one in the folder")
    return found[0] if found else None


def _kind(file: Path) -> LabelFileKind | None:
    try:
        header = read_label_header(file, ["SOPClassUID"])
    except InputError:
        return None
    return _KINDS.get(first_text(header, "SOPClassUID"))


def read_label_header(
    file: Path, keywords: Sequence[str], *, pixels: Literal["read", "leave"] = "leave"
) -> Dataset:
    """Read the given elements of a file.

    Args:
        file: The file.
        keywords: Of the elements.
        pixels: `read` if elements may be larger than any header, as contours are.

    Raises:
        InputError: If it is damaged, or cut off within one of the elements.
    """
    with one_line(file), open_bounded(file) as stream:
        header = read_dataset(stream, keywords, pixels=pixels)
        _require_whole(header, keywords)
    return header


class _Bounded(io.BufferedReader):
    """A file of which no more is asked than it has: a length of 4 GiB would be memory first."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))


def open_bounded(file: Path) -> io.BufferedReader:
    """Open a file for reading, whatever lengths are stated in it."""
    return _Bounded(io.FileIO(file))


@contextmanager
def one_line(file: Path) -> Generator[None]:
    """Whatever pydicom raises of a damaged file, as one line; elements are parsed when asked for.

    Raises:
        InputError: In place of it.
    """
    try:
        with quiet_pydicom():
            yield
    except (MedsegError, MemoryError):
        raise
    except OverflowError as error:
        what = f"holds what no label has: {error}"
        raise label_error(file, what, "export it again, in several files") from error
    except Exception as error:  # pydicom raises almost anything
        raise label_error(file, "is damaged or cut off", "copy or export it again") from error


def _require_whole(header: Dataset, keywords: Sequence[str]) -> None:
    """Refuse elements of fewer bytes than they state, which pydicom reads as far as they go."""
    for keyword in keywords:
        element = cast("Any", header.get_item(cast("int", tag_for_keyword(keyword))))
        if not isinstance(element, RawDataElement) or element.length == _UNDEFINED:
            continue
        if element.value is None and element.length > MAX_HEADER_BYTES:
            raise OverflowError(f"{keyword} is larger than {MAX_HEADER_BYTES} bytes")
        if len(element.value or b"") < element.length:
            raise ValueError(keyword)


def label_error(path: Path, what: str, remedy: str) -> InputError:
    """The error for a label file."""
    return refusal(path, Problem("error", "label", what, remedy))
