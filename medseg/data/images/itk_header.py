"""What the text headers of NRRD and MetaImage have in common: lines, numbers, and the other file.

A header may name the file of its voxels. Any name would do for reading any file of the disk as an
image, so only a bare name is taken, of a file in the header's own folder.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from medseg.data.limits import require_regular_file
from medseg.data.problems import Problem, Where, refusal

__all__ = [
    "LPS_TO_RAS",
    "floats",
    "header_lines",
    "orientation_doubt",
    "place_doubt",
    "unit_doubt",
    "voxel_file",
    "whole",
]

LPS_TO_RAS: NDArray[np.float64] = np.diag([-1.0, -1.0, 1.0])
# Headers with a whole protocol in their comments are far below.
_MOST_BYTES = 2**20
# Unicode's digits, `1_000` and `nan` are numbers to Python only.
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def header_lines(file: IO[bytes], is_last: Callable[[str], bool]) -> Iterator[str]:
    """Yield a header's lines, to its last one or the file's end; the file stands behind it.

    Raises:
        ValueError: If the first MiB has no last line.
    """
    left = _MOST_BYTES
    while left > 0:
        line = file.readline(left)
        left -= len(line)
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if "\r" in text or "\0" in text:
            raise ValueError("its header has a line break or an end of text within a line")
        yield text
        if not line or is_last(text):
            return
    raise ValueError("its header does not end")


def whole(text: str, name: str) -> int:
    """A whole number of a header.

    Raises:
        ValueError: If it is none.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{name} is {text[:40]!r}, no whole number")
    return int(text)


def floats(texts: list[str], name: str, count: int) -> NDArray[np.float64]:
    """As many numbers as expected.

    Raises:
        ValueError: If there are more or fewer, or one is no finite number.
    """
    if len(texts) != count or not all(_FLOAT.fullmatch(text) for text in texts):
        raise ValueError(f"{name} is {' '.join(texts)[:60]!r}, not {count} numbers")
    values = np.array([float(text) for text in texts])
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is {' '.join(texts)[:60]!r}, too large a number")
    return values


def voxel_file(header: Path, name: str, *, where: Where) -> Path:
    """The file of voxels that a header names.

    A link beside the header is followed, as data sets under git-annex have them; its length still
    has to be that of the voxels.

    Raises:
        InputError: If the name is not the bare name of one regular file beside the header.
    """
    bare = name not in ("", ".", "..") and not re.search(r"[/\\:%\0]", name)
    # LIST, LISTFILE 2 and patterns such as slice%03d.raw 1 99 1 stand for many files.
    if not bare or re.match(r"LIST", name):
        what = f"its header names {name[:80]!r} as the file of its voxels"
        remedy = "it may only name one file beside it; write the image as one file (.nrrd, .mha)"
        raise refusal(header, Problem("error", where, what, remedy))
    path = header.parent / name
    require_regular_file(path, where=where)
    return path


def unit_doubt(unit: str, where: Where) -> Problem:
    """The warning about voxel sizes that are not in millimetres."""
    what = f"its header gives voxel sizes in {unit[:20]!r}, but they are read as millimetres"
    return Problem("warning", where, what, f"scale its spacing if they really are {unit[:20]!r}")


def place_doubt(where: Where) -> Problem:
    """The warning about a header without the place of the first voxel."""
    what = "its header has no origin, so where it lies in the patient is a guess"
    return Problem("warning", where, what, "export it again with its origin")


def orientation_doubt(where: Where) -> Problem:
    """The warning about a header without directions."""
    what = "its header has no orientation, so left and right are a guess"
    return Problem("warning", where, what, "export it again with its orientation")
