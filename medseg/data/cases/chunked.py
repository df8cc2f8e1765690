"""A volume on disk in compressed chunks, of which a patch reads those it touches.

A chunk is about half a megabyte, so that a volume is some hundreds of them; in it, blocks of 8
KB are compressed on their own, and only those that are asked for are decompressed. One thread
does so: the workers of a loader are the threads.
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
    """A volume on disk: `shape`, `dtype`, and `[slices]` that give an array of what they touch."""

    def __init__(self, path: Path, shape: Sequence[int], dtype: str) -> None:
        """Nothing is opened before voxels are asked for, and nothing stays open after."""
        self.path = path
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)

    def __getitem__(self, window: Any) -> Array:
        """Read a part, as a new array.

        Raises:
            DataError: If the file is gone or damaged.
        """
        try:
            # Held open, a data set would run out of file handles, and forked workers would
            # share positions in files; opening costs a tenth of reading a patch.
            volume = _blosc2().open(str(self.path), mode="r", dparams={"nthreads": 1})
            return cast("Array", volume[window])
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"{self.path}: cannot be read any more ({error}); remove its folder and start "
                "again, then it is made anew"
            ) from error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: FBT001 - numpy's signature
        """Read all of it."""
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype)


def compressed(volume: Array) -> bytes:
    """A volume as the content of a file that `DiskArray` reads.

    Args:
        volume: `(C, *spatial)`, one to three spatial axes.
    """
    blosc2 = _blosc2()
    dims = min(volume.ndim - 1, 3)
    shape = volume.shape[-dims:]
    leading = (1,) * (volume.ndim - dims)
    made = blosc2.asarray(
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
    return cast("bytes", made.to_cframe())


@functools.cache
def _blosc2() -> Any:
    # Only here is it needed, and not by every command. numexpr, which it brings, would tell the
    # log how many threads it has.
    with quiet_loggers("numexpr.utils", level=logging.WARNING):
        import blosc2
    return blosc2
