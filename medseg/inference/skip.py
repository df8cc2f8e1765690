"""Which windows cannot matter, so that the network need not see them.

A bundle declares the rule, since only its recipe knows what air looks like. A voxel that lies in
no window that is run becomes background; a voxel of the body lies in none that is skipped, so its
logits are the same with and without the rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

__all__ = ["ConstantWindows", "OutsideBody", "Wanted"]

Wanted = Callable[[Sequence[slice]], bool]


@dataclass(frozen=True)
class ConstantWindows:
    """Skip windows in which every voxel has one value, such as what was filled around a scan."""

    def __call__(self, volume: Tensor) -> Wanted:
        """Look at a volume `(C, *spatial)` once; the answer judges windows of it."""

        def wanted(box: Sequence[slice]) -> bool:
            window = volume[(slice(None), *box)].flatten(1)
            return bool((window.amin(dim=1) != window.amax(dim=1)).any())

        return wanted


@dataclass(frozen=True, kw_only=True)
class OutsideBody:
    """Skip windows that hold nothing of the body.

    The body is the largest connected part of the image above a threshold, with all that it
    encloses in a slice and a rim of one block of 4 voxels; table and blankets go with the air.

    Attributes:
        above: What is brighter than this belongs to the body, in the recipe's intensities.
        slice_axis: Spatial axis across which slices are filled, the long axis of the body.
    """

    above: float
    slice_axis: int = 2

    def __call__(self, volume: Tensor) -> Wanted:
        """Look at a volume `(1, I, J, K)` once; the answer judges windows of it."""
        body = _body(volume[0].cpu(), self.above, self.slice_axis)

        def wanted(box: Sequence[slice]) -> bool:
            coarse = tuple(slice(b.start // _BLOCK, -(-b.stop // _BLOCK)) for b in box)
            return bool(body[coarse].any())

        return wanted


_BLOCK = 4


def _body(image: Tensor, above: float, axis: int) -> NDArray[np.bool_]:
    bright = (image > above).float()[None, None]
    # A block counts when half of it is bright: noise and thin blankets do not connect.
    share = torch.nn.functional.avg_pool3d(bright, _BLOCK, ceil_mode=True)[0, 0].numpy()
    scipy = cast("Any", ndimage)  # without types of its own
    parts, count = scipy.label(share > 0.5)
    if count == 0:
        return np.ones(share.shape, np.bool_)  # no body found: skip nothing
    body = parts == 1 + np.bincount(parts.ravel())[1:].argmax()
    plane = np.expand_dims(scipy.generate_binary_structure(2, 1), axis)
    return scipy.binary_dilation(scipy.binary_fill_holes(body, plane))
