"""Body and lung detection in CT, on a coarse grid of blocks: fast, and robust to noise.

All functions work on one image `(I, J, K)` in a recipe's intensities, and return one value per
block of `BLOCK` voxels along each axis.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

__all__ = ["BLOCK", "Mask", "Trunk", "find_trunk", "parts_of", "with_rim"]

BLOCK = 4

Mask = NDArray[np.bool_]


class Trunk(NamedTuple):
    """Masks of blocks: the body, filled slice by slice, and the air inside it."""

    body: Mask
    air: Mask


def find_trunk(image: Tensor, *, above: float, slice_axis: int) -> Trunk | None:
    """Find the largest connected component brighter than `above`; None if there is none.

    A block counts if more than half of it is bright, so that noise and thin blankets do not
    connect.
    """
    bright = (image > above).float()[None, None]
    share = torch.nn.functional.avg_pool3d(bright, BLOCK, ceil_mode=True)[0, 0].numpy()
    tissue = share > 0.5
    parts = parts_of(tissue)
    if not parts:
        return None
    plane = np.expand_dims(ndimage.generate_binary_structure(2, 1), slice_axis)
    body = ndimage.binary_fill_holes(max(parts, key=np.count_nonzero), plane)
    return Trunk(body, body & ~tissue)


def parts_of(mask: Mask, least: int = 1) -> list[Mask]:
    """Connected components of a mask with at least `least` blocks."""
    numbers, _ = ndimage.label(mask)
    counts = np.bincount(numbers.ravel())
    return [numbers == n for n in range(1, len(counts)) if counts[n] >= least]


def with_rim(mask: Mask) -> Mask:
    """The mask dilated by one block."""
    return ndimage.binary_dilation(mask)
