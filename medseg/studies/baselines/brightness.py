"""Brightness of images, and index maps ordered by it.

A classical method finds groups of voxels and gives them any numbers. Here they are numbered from
the darkest to the brightest, so that the same number means the same in every image.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "IndexMap", "by_brightness", "luminance"]

Floats = NDArray[np.float64]
IndexMap = NDArray[np.uint8]

# Weights of red, green and blue in luminance (ITU-R BT.709).
_RGB = np.array([0.2125, 0.7154, 0.0721])


def luminance(image: Floats) -> Floats:
    """Brightness of each voxel.

    Args:
        image: `(*spatial, C)`; three channels are red, green and blue, others are averaged.

    Returns:
        `(*spatial)`.
    """
    return image @ _RGB if image.shape[-1] == 3 else image.mean(axis=-1)


def by_brightness(groups: NDArray[Any], image: Floats, levels: int) -> IndexMap:
    """Number groups of voxels from the darkest, 0, to the brightest, by their mean brightness.

    Args:
        groups: `(*spatial)`, integers below `levels`.
        image: `(*spatial, C)`.
        levels: Number of groups; those without a voxel come last.

    Returns:
        `(*spatial)`, the same groups with other numbers.
    """
    counts = np.bincount(groups.ravel(), minlength=levels)
    sums = np.bincount(groups.ravel(), luminance(image).ravel(), minlength=levels)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    return np.argsort(np.argsort(means, kind="stable"), kind="stable").astype(np.uint8)[groups]
