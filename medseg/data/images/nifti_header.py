"""NIfTI headers: what contradicts itself is refused, what is ambiguous is told.

nibabel mends a header as it reads it: a negative voxel size loses its sign, a size of 0 becomes 1,
a wrong `bitpix` is overwritten. Here the header is checked as it is stored.
"""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg.data.images.voxels import Unpacked
from medseg.data.problems import Problem, Where

__all__ = ["header_doubts", "read_header"]

# Sizes of the two versions' headers, which are their first four bytes; then four bytes of
# extension flags.
_NIFTI_1, _NIFTI_2 = 348, 540
_FLAGS = 4
# Comments and copies of DICOM headers are far below.
_MOST_EXTENSIONS = 2**28
# NIfTI's codes of units of space that are not millimetres.
_UNITS = {1: "metres", 3: "micrometres"}


def read_header(source: Unpacked) -> tuple[Any, int]:
    """Read a header of either version.

    Returns:
        nibabel's header; bytes from there to the first voxel.

    Raises:
        ValueError: If it is no header of a single file, or contradicts itself.
        HeaderDataError: If nibabel cannot use it.
    """
    block = source.read(_NIFTI_1)
    if len(block) < _NIFTI_1:
        raise ValueError(f"{len(block)} bytes, fewer than a header has")
    size = _stated_size(block)
    block += source.read(size - _NIFTI_1)
    kind = cast("Any", nib.Nifti1Header if size == _NIFTI_1 else nib.Nifti2Header)
    _check(kind(block, check=False), size)
    header = kind(block, check=True)
    return header, int(header["vox_offset"]) - size


def _stated_size(block: bytes) -> int:
    sizes = (int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big"))
    size = next((one for one in (_NIFTI_1, _NIFTI_2) if one in sizes), None)
    if size is None:
        raise ValueError("it does not begin like one")
    return size


def _check(header: Any, size: int) -> None:
    if not bytes(header["magic"]).startswith((b"n+1", b"n+2")):
        raise ValueError("its voxels are in another file (.hdr and .img), or it is no header")
    sizes = [int(value) for value in header["dim"]]
    axes = sizes[0]
    if not 1 <= axes <= 7 or min(sizes[1 : axes + 1]) < 0:
        raise ValueError(f"its header states {axes} axes of sizes {sizes[1 : max(axes, 0) + 1]}")
    offset = float(header["vox_offset"])
    if not (size + _FLAGS <= offset <= size + _MOST_EXTENSIONS and offset.is_integer()):
        raise ValueError(f"its header puts the voxels at byte {offset:g}, itself ends at {size}")
    bits = _bits(header)
    if int(header["bitpix"]) != bits:
        raise ValueError(f"its header states {header['bitpix']} bits for values of {bits}")
    _check_numbers(header, sizes[1 : axes + 1])


def _bits(header: Any) -> int:
    """Bits of a value by its datatype."""
    try:
        bits = int(header.get_data_dtype().itemsize) * 8
    except KeyError:
        bits = 0
    if bits == 0:
        raise ValueError(f"its header states an unknown type, {header['datatype']}")
    return bits


def _check_numbers(header: Any, sizes: list[int]) -> None:
    steps = [float(value) for value in header["pixdim"][1:4]]
    for step, voxels in zip(steps, sizes, strict=False):
        # Of a single slice, programs leave the distance to the next one at 0.
        if not (math.isfinite(step) and (step > 0 or (step == 0 and voxels == 1))):
            raise ValueError(f"its header states a voxel size (pixdim) of {step:g} mm")
    slope = float(header["scl_slope"])
    if math.isinf(slope):
        raise ValueError(f"its header scales the values by {slope:g} (scl_slope)")


def header_doubts(header: Any, where: Where) -> Iterator[Problem]:
    """Yield warnings about what the header leaves open, as its programs disagree."""
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
    gap = _forms_gap(header)
    if gap > 1:
        what = (
            "its header has two orientations, sform and qform, which put a corner "
            f"{gap:.3g} voxels apart; the sform is used, some programs use the qform"
        )
        yield Problem("warning", where, what, "check left and right, and export it with one")


def _forms_gap(header: Any) -> float:
    """Distance of a corner by sform and by qform, in voxels; 0 if only one of them is given."""
    if header["sform_code"] <= 0 or header["qform_code"] <= 0:
        return 0
    sform: NDArray[np.float64] = header.get_sform()
    try:
        qform: NDArray[np.float64] = header.get_qform()
    except ValueError:
        return math.inf  # its quaternion is no rotation
    ends = [(0, size - 1) for size in (*header.get_data_shape(), 1, 1, 1)[:3]]
    corners = np.asarray([(*corner, 1) for corner in product(*ends)])
    gaps_mm = np.linalg.norm((corners @ (sform - qform).T)[:, :3], axis=1)
    return float(gaps_mm.max() / np.linalg.norm(sform[:3, :3], axis=0).min())
