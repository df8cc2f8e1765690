"""NIfTI files of one volume with more than three axes: the header says three, no voxel changes."""

from pathlib import Path
from typing import IO, Any

import numpy as np
from isal.igzip import IGzipFile

from medseg._files import write_atomically
from medseg.data.images.naming import is_nifti
from medseg.data.images.nifti import read_nifti_place

__all__ = ["extra_axes", "write_three_axes"]

# Size of the header, where the sizes of the axes are in it, and what type they have.
_FORMS = {348: (40, "i2"), 540: (16, "i8")}
_GZIP = b"\x1f\x8b"
_STEP = 2**24


def extra_axes(path: Path) -> tuple[int, ...] | None:
    """Shape of a NIfTI file that has more than three axes, and only one volume; else None."""
    if path.is_dir() or not is_nifti(path):
        return None
    shape, _ = read_nifti_place(path)
    return shape if len(shape) > 3 and set(shape[3:]) == {1} else None


def write_three_axes(source: Path, target: Path) -> None:
    """Copy a NIfTI file with three axes in its header, all else as it is.

    Args:
        source: A `.nii` or `.nii.gz` that `extra_axes` is true of, read before without an error.
        target: The copy, of the same suffixes.
    """
    write_atomically(target, lambda temporary: _copy(source, temporary))


def _copy(source: Path, temporary: Path) -> None:
    with source.open("rb") as given, temporary.open("wb") as out:
        packed = given.read(2) == _GZIP
        given.seek(0)
        if packed:
            # Without a name and a time in the stream, equal files have equal bytes.
            with IGzipFile("", "rb", fileobj=given) as one, _packer(out) as other:
                _copy_content(one, other)
        else:
            _copy_content(given, out)


def _packer(out: IO[bytes]) -> Any:
    return IGzipFile("", "wb", 1, out, mtime=0)


def _copy_content(given: Any, out: Any) -> None:
    head = bytearray(given.read(max(_FORMS)))
    size = next(s for s in _FORMS if s in (_whole(head, "<"), _whole(head, ">")))
    order = "<" if _whole(head, "<") == size else ">"
    offset, kind = _FORMS[size]
    sizes = np.frombuffer(head, order + kind, 8, offset).copy()
    sizes[0] = 3
    head[offset : offset + sizes.nbytes] = sizes.tobytes()
    out.write(bytes(head))
    while part := given.read(_STEP):
        out.write(part)


def _whole(head: bytearray, order: str) -> int:
    return int(np.frombuffer(head, order + "i4", 1)[0])
