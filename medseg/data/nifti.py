"""A NIfTI file, read to its last byte.

nibabel stops after the last voxel, before the checksum of a compressed file, and so hands out
damaged voxels without a word; here the rest of the stream is read as well. All that can go
wrong with such a file is told in one line.
"""

import io
import logging
import math
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from medseg.data.problems import InputError, Problem, Where, refusal
from medseg.data.quiet import shared

__all__ = ["NIFTI_SUFFIXES", "read_nifti"]

# The wheel says nothing of its types.
_igzip = cast("Any", igzip)

NIFTI_SUFFIXES = (".nii", ".nii.gz")
# The size of a NIfTI-2 header, its first four bytes; a NIfTI-1 header has 348.
NIFTI_2 = {(540).to_bytes(4, "little"), (540).to_bytes(4, "big")}
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


def read_nifti(
    path: Path, *, where: Where = "image"
) -> tuple[NDArray[Any], NDArray[np.float64], str]:
    """Read a `.nii` or `.nii.gz` file.

    Returns:
        The array as stored, slope and intercept applied, perhaps read-only; the `(4, 4)` affine,
        RAS+ in mm; the type of the stored values.

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
    return array, image.affine, dtype.name


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
    """Neither log lines of mended headers nor numpy's warnings of numbers that overflow.

    What such a header makes of the volume is checked afterwards.
    """
    # numpy's setting is the thread's own.
    with _quiet_logger(), np.errstate(all="ignore"):
        yield


@shared
@contextmanager
def _quiet_logger() -> Generator[None]:
    logger = logging.getLogger("nibabel.global")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _header(content: bytes) -> Any:
    image_type = cast("Any", nib.Nifti2Image if content[:4] in NIFTI_2 else nib.Nifti1Image)
    return image_type.from_stream(io.BytesIO(content))


def _voxels(content: bytes, stored: Any) -> NDArray[Any]:
    """What nibabel gives, but where nothing is to be scaled as a view: a copy takes its time."""
    promised = math.prod(stored.shape) * stored.dtype.itemsize
    there = len(content) - stored.offset
    if there < promised:
        raise ValueError(
            f"its header promises {promised} bytes of voxels, {max(there, 0)} are there"
        )
    if (stored.slope, stored.inter) != (1, 0):
        return np.asanyarray(stored)
    return np.ndarray(stored.shape, stored.dtype, content, stored.offset, order="F")


def _check_scalar(path: Path, dtype: np.dtype[Any], where: Where) -> None:
    if dtype.fields is not None or dtype.kind == "c":
        kind = "complex numbers" if dtype.kind == "c" else "colours (RGB)"
        remedy = "convert it to one number a voxel"
        raise refusal(path, Problem("error", where, f"holds {kind}", remedy))
