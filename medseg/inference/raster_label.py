"""PNG and TIFF encoding of a label of a picture, 8 or 16 bit grey, and of its maps, lossless."""

import io
from importlib import import_module
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medseg.errors import DataError

__all__ = ["png_bytes", "tiff_bytes", "tiff_pages"]


def png_bytes(values: NDArray[Any]) -> bytes:
    """Encode an index map as PNG; equal labels give equal bytes.

    Args:
        values: `(I, J)`, or `(I, J, 1)`, I = row from the top; uint8 or uint16, as stored.

    Raises:
        DataError: If it is not a picture.
    """
    return _encoded(values, format="PNG", optimize=True)


def tiff_bytes(values: NDArray[Any]) -> bytes:
    """Encode an index map as TIFF (deflate); arguments and errors as for `png_bytes`."""
    return _encoded(values, format="TIFF", compression="tiff_adobe_deflate")


def tiff_pages(values: NDArray[np.float32]) -> bytes:
    """Encode maps `(C, I, J)` as a TIFF of C pages of floats (deflate)."""
    # Imported on first use: few predictions write maps of pictures.
    tifffile = cast("Any", import_module("tifffile"))
    content = io.BytesIO()
    tifffile.imwrite(content, values, photometric="minisblack", compression="zlib", metadata=None)
    return content.getvalue()


def _encoded(values: NDArray[Any], **options: Any) -> bytes:
    flat = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if flat.ndim != 2:
        raise DataError(f"a label of shape {values.shape} is not a picture; save it as a volume")
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat)).save(content, **options)
    return content.getvalue()
