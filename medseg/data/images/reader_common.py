"""Common parts of the MONAI image readers.

`LoadImaged` falls back to MONAI's own readers if `read` of the given one raises, and those accept
by guess what is refused here. So `read` only stores the paths, and `get_data`, after which no other
reader is tried, reads and refuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from monai.utils.enums import MetaKeys, SpaceKeys
from numpy.typing import NDArray

from medseg.data.label_kind import near_whole

__all__ = ["Paths", "PendingRead", "narrow", "paths_of", "place_of", "whole_if_label"]

_SAMPLE_VOXELS = 10_000

_NARROW = (np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.float32))

Paths = Sequence[PathLike[str] | str] | PathLike[str] | str


@dataclass(frozen=True)
class PendingRead:
    """Paths stored by `read` for `get_data`."""

    paths: tuple[str, ...]


def paths_of(data: Paths) -> tuple[str, ...]:
    """One path or several, as a tuple."""
    alone = isinstance(data, str | PathLike)
    return (str(data),) if alone else tuple(str(path) for path in data)


def narrow(array: NDArray[Any]) -> NDArray[Any]:
    """Keep the stored type of the values if torch computes with it, else convert to float32.

    A recipe whose `LoadImaged` has `dtype: null` keeps this type up to its resampling: a CT then
    takes half the memory, and correspondingly less time.
    """
    return array if array.dtype in _NARROW else array.astype(np.float32)


def whole_if_label(array: NDArray[Any]) -> NDArray[Any]:
    """Floating-point values as whole numbers, if they are those of a label within rounding.

    A reader of MONAI is not told whether it reads an image or a label. Images are recognised by a
    sample of their values, and returned as they are.
    """
    if array.dtype.kind != "f":
        return array
    flat = array.ravel(order="K")
    sample = near_whole(flat[:: max(1, flat.size // _SAMPLE_VOXELS)])
    may_be_label = bool((sample >= 0).all() and (sample == np.rint(sample)).all())
    return near_whole(array) if may_be_label else array


def place_of(
    affine: NDArray[np.float64], shape: Sequence[int], channel_dim: float
) -> dict[str, Any]:
    """Metadata of an image's geometry, as MONAI's transforms use it.

    Args:
        affine: `(4, 4)`, voxel indices to mm, RAS+.
        shape: Spatial shape.
        channel_dim: Channel axis of the array; NaN if there is none.
    """
    return {
        MetaKeys.AFFINE: affine.copy(),
        MetaKeys.ORIGINAL_AFFINE: affine.copy(),
        MetaKeys.SPATIAL_SHAPE: np.asarray(shape),
        MetaKeys.SPACE: SpaceKeys.RAS,
        MetaKeys.ORIGINAL_CHANNEL_DIM: channel_dim,
    }
