"""How a volume is cut into windows, and how much each window counts where they overlap.

Windows stand on a grid and weights are products of one number an axis, so each axis can be
made to sum to one by itself: the blend is an exact partition of unity, without a map of
counts and without dividing by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blend", "Windows", "plan_windows"]

Blend = Literal["constant", "gaussian"]
Floats = NDArray[np.float32]

# MONAI's and nnU-Net's: an eighth of the window, and never quite nothing at its corners.
_SIGMA = 0.125
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class Windows:
    """The windows of one volume.

    Attributes:
        size: Voxels of a window along each axis.
        starts: For each axis, where windows begin, ascending; a window stands at each
            combination.
        weights: For each axis `(windows, size)`: what each voxel of each window counts. Over all
            windows that hold a voxel they sum to 1.
    """

    size: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]
    weights: tuple[Floats, ...]

    @property
    def count(self) -> int:
        """How many windows there are."""
        return int(np.prod([len(starts) for starts in self.starts]))


def plan_windows(
    shape: Sequence[int], size: Sequence[int], *, overlap: float = 0.5, blend: Blend = "gaussian"
) -> Windows:
    """Lay windows over a volume.

    Args:
        shape: Spatial shape of the volume, at least `size` along each axis.
        size: Voxels of a window along each axis.
        overlap: Share of a window that the next one shares, in [0, 1).
        blend: Whether voxels near a window's middle count more than those at its faces.

    Raises:
        ValueError: If an argument is out of its range.
    """
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap must be in [0, 1), got {overlap}")
    if blend not in get_args(Blend):
        raise ValueError(f"blend must be one of {get_args(Blend)}, got {blend!r}")
    if len(shape) != len(size) or any(n < w or w < 1 for n, w in zip(shape, size, strict=True)):
        raise ValueError(f"size must fit into shape {tuple(shape)}, got {tuple(size)}")
    axes = list(zip(shape, size, strict=True))
    starts = tuple(_starts(n, w, overlap) for n, w in axes)
    weights = tuple(_weights(n, w, s, blend) for (n, w), s in zip(axes, starts, strict=True))
    return Windows(tuple(size), starts, weights)


def _starts(length: int, size: int, overlap: float) -> tuple[int, ...]:
    step = max(1, int(size * (1 - overlap)))
    last = length - size
    return (*range(0, last, step), last)


def _weights(length: int, size: int, starts: Sequence[int], blend: Blend) -> Floats:
    profile = np.ones(size)
    if blend == "gaussian":
        places = np.arange(size) - (size - 1) / 2
        profile = np.maximum(np.exp(-0.5 * (places / (_SIGMA * size)) ** 2), _LEAST_WEIGHT)
    total = np.zeros(length)
    for start in starts:
        total[start : start + size] += profile
    return np.stack([profile / total[s : s + size] for s in starts]).astype(np.float32)
