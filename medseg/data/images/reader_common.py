"""What the readers for MONAI's `LoadImaged` have in common.

`LoadImaged` tries MONAI's own readers as soon as `read` of the one it was given raises, and those
take by guess what is refused here. So `read` only notes what is to be read, and all refusals come
from `get_data`, after which nothing else is tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from monai.utils.enums import MetaKeys, SpaceKeys
from numpy.typing import NDArray

__all__ = ["Paths", "PendingRead", "narrow", "paths_of", "place_of"]

_NARROW = (np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.float32))

Paths = Sequence[PathLike[str] | str] | PathLike[str] | str


@dataclass(frozen=True)
class PendingRead:
    """What `get_data` is to read."""

    paths: tuple[str, ...]


def paths_of(data: Paths) -> tuple[str, ...]:
    """One path or several, as a tuple."""
    alone = isinstance(data, str | PathLike)
    return (str(data),) if alone else tuple(str(path) for path in data)


def narrow(array: NDArray[Any]) -> NDArray[Any]:
    """Values as they were stored where torch computes with that type, else as float32.

    A recipe whose `LoadImaged` has `dtype: null` keeps them so up to its resampling: a CT in half
    the memory, and in as much less time.
    """
    return array if array.dtype in _NARROW else array.astype(np.float32)


def place_of(
    affine: NDArray[np.float64], shape: Sequence[int], channel_dim: float
) -> dict[str, Any]:
    """The metadata that MONAI's transforms use.

    Args:
        affine: `(4, 4)`, voxel indices to mm, RAS+.
        shape: Spatial.
        channel_dim: Which axis of the array holds channels; NaN if none does.
    """
    return {
        MetaKeys.AFFINE: affine.copy(),
        MetaKeys.ORIGINAL_AFFINE: affine.copy(),
        MetaKeys.SPATIAL_SHAPE: np.asarray(shape),
        MetaKeys.SPACE: SpaceKeys.RAS,
        MetaKeys.ORIGINAL_CHANNEL_DIM: channel_dim,
    }
