"""NIfTI files, read to the end so that checksum errors are found.

nibabel stops after the last voxel, before the checksum of a compressed file, and so returns damaged
voxels silently; here the rest of the stream is read as well. All errors of such a file are reported
in one line.
"""

import io
import math
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from medseg._quiet import quiet_loggers
from medseg.data.problems import InputError, Problem, Where, refusal

__all__ = ["Nifti", "read_nifti"]

# isal has no type annotations.
_igzip = cast("Any", igzip)

# The size of a NIfTI-2 header, its first four bytes; a NIfTI-1 header has 348.
NIFTI_2 = {(540).to_bytes(4, "little"), (540).to_bytes(4, "big")}
# NIfTI's codes of units of space that are not millimetres.
_UNITS = {1: "metres", 3: "micrometres"}
DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    OverflowError,
    ValueError,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


class Nifti(NamedTuple):
    """Content of a NIfTI file.

    Attributes:
        array: Voxels with slope and intercept applied; possibly read-only.
        affine: `(4, 4)`, RAS+ in mm.
        dtype: Type of the stored values.
        doubts: Warnings about ambiguities of the header.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    dtype: str
    doubts: tuple[Problem, ...]


def read_nifti(path: Path, *, where: Where = "image") -> Nifti:
    """Read a `.nii` or `.nii.gz` file.

    Raises:
        InputError: If the file is damaged, or holds colours or complex numbers.
    """
    with _one_line_errors(path, where), _quiet_nibabel():
        content = path.read_bytes()
        if path.name.lower().endswith(".gz"):
            content = _igzip.decompress(content)
        image = _header(content)
        dtype = cast("np.dtype[Any]", image.get_data_dtype())
        _check_scalar(path, dtype, where)
        array = _voxels(content, image.dataobj)
    return Nifti(array, image.affine, dtype.name, tuple(_doubts(image.header, where)))


@contextmanager
def _one_line_errors(path: Path, where: Where) -> Generator[None]:
    try:
        yield
    except MemoryError as error:
        what = "larger than the memory, or its header is damaged"
        remedy = "copy the file again, or use a machine with more memory"
        raise refusal(path, Problem("error", where, what, remedy)) from error
    except InputError:
        raise
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        what = f"cannot be read as NIfTI ({reason})"
        raise refusal(path, Problem("error", where, what, "copy or export it again")) from error


@contextmanager
def _quiet_nibabel() -> Generator[None]:
    """Silence nibabel's log of corrected headers and numpy's overflow warnings.

    The resulting volume is checked afterwards.
    """
    # numpy's setting is per thread.
    with quiet_loggers("nibabel.global"), np.errstate(all="ignore"):
        yield


def _header(content: bytes) -> Any:
    image_type = cast("Any", nib.Nifti2Image if content[:4] in NIFTI_2 else nib.Nifti1Image)
    return image_type.from_stream(io.BytesIO(content))


def _voxels(content: bytes, stored: Any) -> NDArray[Any]:
    """Voxels as nibabel returns them, but as a view where no scaling is needed, to save a copy."""
    expected = math.prod(stored.shape) * stored.dtype.itemsize
    available = len(content) - stored.offset
    if available < expected:
        raise ValueError(
            f"its header states {expected} bytes of voxels, the file has {max(available, 0)}"
        )
    if (stored.slope, stored.inter) != (1, 0):
        return np.asanyarray(stored)
    return np.ndarray(stored.shape, stored.dtype, content, stored.offset, order="F")


def _doubts(header: Any, where: Where) -> Iterator[Problem]:
    # Few programs honour the unit, and some write a wrong one, so it is reported but not applied.
    unit = _UNITS.get(int(header["xyzt_units"]) % 8)
    if unit is not None:
        what = f"its header gives voxel sizes in {unit}, but they are read as millimetres"
        yield Problem("warning", where, what, f"scale its affine if they really are {unit}")
    if header["sform_code"] == header["qform_code"] == 0:
        what = (
            "its header has no orientation (sform and qform codes 0), so left and right are a guess"
        )
        yield Problem("warning", where, what, "export it again with its orientation")


def _check_scalar(path: Path, dtype: np.dtype[Any], where: Where) -> None:
    if dtype.fields is not None or dtype.kind == "c":
        kind = "complex numbers" if dtype.kind == "c" else "colours (RGB)"
        remedy = "convert it to one number per voxel"
        raise refusal(path, Problem("error", where, f"holds {kind}", remedy))
