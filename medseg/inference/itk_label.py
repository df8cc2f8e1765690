"""NRRD and MetaImage encoding of a label.

Both are a few lines of text before the compressed voxels. Written here instead of by ITK, so that a
full disk raises `OSError` instead of leaving half a file, and equal labels give equal bytes.

Reference:
    https://teem.sourceforge.net/nrrd/format.html, https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

__all__ = ["mha_bytes", "nrrd_bytes"]

_igzip, _zlib = cast("Any", igzip), cast("Any", isal_zlib)  # without type annotations
# Labels are long runs: higher compression levels save next to nothing.
_LEVEL = 1
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_META_TYPES = {"uint8": "MET_UCHAR", "uint16": "MET_USHORT"}


def nrrd_bytes(values: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    """Encode as NRRD, gzip, in LPS.

    Args:
        values: `(I, J, K)`, uint8 or uint16.
        affine: `(4, 4)`, voxel indices to mm, RAS+.
    """
    lps = _RAS_TO_LPS @ affine
    directions = " ".join(f"({_numbers(lps[:3, axis], ',')})" for axis in range(3))
    header = (
        "NRRD0004\n"
        f"type: {values.dtype.name}\n"
        "dimension: 3\n"
        "space: left-posterior-superior\n"
        f"sizes: {_numbers(values.shape)}\n"
        f"space directions: {directions}\n"
        "kinds: domain domain domain\n"
        "endian: little\n"
        "encoding: gzip\n"
        f"space origin: ({_numbers(lps[:3, 3], ',')})\n\n"
    )
    return header.encode() + _igzip.compress(_voxels(values), _LEVEL, mtime=0)


def mha_bytes(values: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    """Encode as MetaImage in one file, zlib, in LPS; arguments as for `nrrd_bytes`."""
    lps = _RAS_TO_LPS @ affine
    spacing_mm = np.linalg.norm(lps[:3, :3], axis=0)
    voxels = _zlib.compress(_voxels(values), _LEVEL)
    header = (
        "ObjectType = Image\n"
        "NDims = 3\n"
        "BinaryData = True\n"
        "BinaryDataByteOrderMSB = False\n"
        "CompressedData = True\n"
        f"CompressedDataSize = {len(voxels)}\n"
        f"TransformMatrix = {_numbers((lps[:3, :3] / spacing_mm).T.ravel())}\n"
        f"Offset = {_numbers(lps[:3, 3])}\n"
        "CenterOfRotation = 0 0 0\n"
        f"ElementSpacing = {_numbers(spacing_mm)}\n"
        f"DimSize = {_numbers(values.shape)}\n"
        f"ElementType = {_META_TYPES[values.dtype.name]}\n"
        "ElementDataFile = LOCAL\n"
    )
    return header.encode() + voxels


def _voxels(values: NDArray[Any]) -> bytes:
    """Voxels as little-endian bytes, I fastest."""
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes(order="F")


def _numbers(values: Iterable[float], between: str = " ") -> str:
    return between.join(repr(number) for number in np.asarray(list(values)).tolist())
