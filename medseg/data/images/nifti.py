"""NIfTI files: the header first, then exactly the voxels that it states, to the checksum.

nibabel stops after the last voxel, before the checksum of a compressed file, and so returns damaged
voxels silently; here the rest of the stream is read as well. Whether a file is compressed is seen
in its content, not in its name. All errors of such a file are reported in one line.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from nibabel.volumeutils import apply_read_scaling
from numpy.typing import NDArray

from medseg._quiet import quiet_loggers
from medseg.data.images.damage import one_line_errors
from medseg.data.images.nifti_header import header_doubts, read_header
from medseg.data.images.voxels import FileVolume, Stored, packing_of, read_voxels, unpacked
from medseg.data.limits import require_regular_file
from medseg.data.problems import Problem, Where, refusal

__all__ = ["read_nifti", "read_nifti_place"]


def read_nifti(path: Path, *, where: Where = "image") -> FileVolume:
    """Read a `.nii` or `.nii.gz` file.

    Raises:
        InputError: If the file is damaged, its header contradicts itself or the file's length, it
            has more voxels than the limit, or holds colours or complex numbers.
    """
    with one_line_errors(path, where, "NIfTI"), _quiet_nibabel(), path.open("rb") as file:
        packing = packing_of(file.read(2))
        file.seek(0)
        with unpacked(file, packing) as source:
            header, offset = read_header(source)
            dtype = cast("np.dtype[Any]", header.get_data_dtype())
            _check_scalar(path, dtype, where)
            stored = Stored(header.get_data_shape(), dtype, offset)
            array = _scaled(read_voxels(path, source, stored, where=where), header)
        affine = header.get_best_affine()
        doubts = tuple(header_doubts(header, where))
    return FileVolume(array, affine, dtype.name, doubts)


def read_nifti_place(path: Path) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Read the header of a `.nii` or `.nii.gz` file alone.

    Returns:
        The shape, and the `(4, 4)` affine, RAS+ in mm.

    Raises:
        InputError: If the header is damaged or contradicts itself.
    """
    require_regular_file(path)
    with one_line_errors(path, "image", "NIfTI"), _quiet_nibabel(), path.open("rb") as file:
        packing = packing_of(file.read(2))
        file.seek(0)
        with unpacked(file, packing) as source:
            header, _ = read_header(source)
        return header.get_data_shape(), header.get_best_affine()


@contextmanager
def _quiet_nibabel() -> Generator[None]:
    """Silence nibabel's log of corrected headers and numpy's overflow warnings.

    The resulting volume is checked afterwards.
    """
    # numpy's setting is per thread.
    with quiet_loggers("nibabel.global"), np.errstate(all="ignore"):
        yield


def _scaled(array: NDArray[Any], header: Any) -> NDArray[Any]:
    """Voxels as nibabel scales them, or as they are where no scaling is needed."""
    slope, inter = header.get_slope_inter()
    if slope is None or (slope, inter) == (1, 0):
        return array
    # Arrays of float64, not numbers: the result is float64, as from nibabel's own reading.
    scale = cast("Any", apply_read_scaling)
    return np.asarray(scale(array, np.asarray(slope), np.asarray(inter)))


def _check_scalar(path: Path, dtype: np.dtype[Any], where: Where) -> None:
    if dtype.fields is not None or dtype.kind == "c":
        kind = "complex numbers" if dtype.kind == "c" else "colours (RGB)"
        remedy = "convert it to one number per voxel"
        raise refusal(path, Problem("error", where, f"holds {kind}", remedy))
