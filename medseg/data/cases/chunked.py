"""Chunked, compressed volume on disk (Blosc2): a patch reads only the chunks it touches.

A chunk is about half a megabyte, so that a volume has some hundreds of them; within it, blocks of
8 KB are compressed separately, and only those needed are decompressed. Decompression uses one
thread, since the workers of a loader run in parallel already.
"""

import functools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medseg._quiet import quiet_loggers
from medseg.errors import DataError

__all__ = ["DiskArray", "compressed"]

# Voxels along each axis, by the number of axes.
CHUNK = {1: 2**18, 2: 512, 3: 64}
BLOCK = {1: 2**12, 2: 64, 3: 16}

Array = NDArray[Any]


class DiskArray:
    """A lazy volume on disk: `shape`, `dtype`, and `[slices]`, which read a part as an array."""

    def __init__(self, path: Path, shape: Sequence[int], dtype: str) -> None:
        """Store the arguments; the file is opened only while voxels are read."""
        self.path = path
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)

    def __getitem__(self, window: Any) -> Array:
        """Read a part as a new array.

        Raises:
            DataError: If the file is missing or damaged.
        """
        try:
            # Not kept open: a data set would run out of file handles, and forked workers would
            # share file positions. Opening costs a tenth of reading a patch.
            volume = _blosc2().open(str(self.path), mode="r", dparams={"nthreads": 1})
            return cast("Array", volume[window])
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"{self.path}: cannot be read any more ({error}); remove its folder and start "
                "again to prepare the case anew"
            ) from error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: FBT001 - numpy's signature
        """Read the whole volume."""
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype)


def compressed(volume: Array) -> bytes:
    """Compress a volume to the content of a file that `DiskArray` reads.

    Args:
        volume: `(C, *spatial)`, one to three spatial axes.
    """
    blosc2 = _blosc2()
    dims = min(volume.ndim - 1, 3)
    shape = volume.shape[-dims:]
    leading = (1,) * (volume.ndim - dims)
    chunked = blosc2.asarray(
        volume,
        chunks=(*leading, *(min(CHUNK[dims], size) for size in shape)),
        blocks=(*leading, *(min(BLOCK[dims], size) for size in shape)),
        cparams={
            "codec": blosc2.Codec.LZ4,
            "clevel": 5,
            "filters": [blosc2.Filter.BITSHUFFLE],
            "nthreads": 1,
        },
    )
    return cast("bytes", chunked.to_cframe())


@functools.cache
def _blosc2() -> Any:
    # Imported on first use, as few commands need it. Its dependency numexpr would log the number
    # of its threads.
    with quiet_loggers("numexpr.utils", level=logging.WARNING):
        import blosc2
    return blosc2
