"""Sliding windows: their positions in a volume, and the blending weight of each voxel.

Exactly as in MONAI's `SlidingWindowInferer`, including the least weight: where a network is unsure,
blending decides, and a label should not depend on the inferer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from medseg._checks import require_choice, require_number
from medseg.errors import UsageError

__all__ = ["Blend", "Windows", "plan_windows"]

Blend = Literal["constant", "gaussian"]
Floats = NDArray[np.float32]

# As in MONAI and nnU-Net: SD of the Gaussian, an eighth of the window.
_SIGMA = 0.125
# As in MONAI: least weight of a window's faces and corners, relative to its centre.
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one volume.

    Attributes:
        size: Voxels of a window along each axis.
        starts: For each axis, first voxels of the windows, ascending; there is a window at each
            combination.
        weight: `(*size)`, above 0: blending weight of each voxel of a window.
    """

    size: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]
    weight: Floats

    @property
    def count(self) -> int:
        """Number of windows."""
        return int(np.prod([len(starts) for starts in self.starts]))


def plan_windows(
    shape: Sequence[int], size: Sequence[int], *, overlap: float = 0.5, blend: Blend = "gaussian"
) -> Windows:
    """Plan the sliding windows of a volume.

    Args:
        shape: Spatial shape of the volume, at least `size` along each axis.
        size: Voxels of a window along each axis.
        overlap: Overlap of neighbouring windows, as a fraction in [0, 1).
        blend: `gaussian` weights voxels near a window's centre more than those at its faces;
            `constant` weights all alike.

    Raises:
        UsageError: If an argument is out of its range.
    """
    require_number("overlap", overlap, at_least=0, below=1)
    require_choice("blend", blend, get_args(Blend))
    if len(shape) != len(size) or any(n < w or w < 1 for n, w in zip(shape, size, strict=True)):
        raise UsageError(f"size must fit into shape {tuple(shape)}, got {tuple(size)}")
    starts = tuple(_starts(n, w, overlap) for n, w in zip(shape, size, strict=True))
    return Windows(tuple(size), starts, _weight(size, blend))


def _starts(length: int, size: int, overlap: float) -> tuple[int, ...]:
    step = max(1, int(size * (1 - overlap)))
    last = length - size
    return (*range(0, last, step), last)


def _weight(size: Sequence[int], blend: Blend) -> Floats:
    if blend == "constant":
        return np.ones(size, np.float32)
    profiles = [np.arange(n) - (n - 1) / 2 for n in size]
    profiles = [np.exp(-0.5 * (p / (_SIGMA * n)) ** 2) for p, n in zip(profiles, size, strict=True)]
    return np.maximum(reduce(np.multiply.outer, profiles), _LEAST_WEIGHT).astype(np.float32)
