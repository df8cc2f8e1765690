"""k-means of voxels by their channels alone, wherever they lie.

References:
    Lloyd, Least squares quantization in PCM, 1982. https://doi.org/10.1109/TIT.1982.1056489
    Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.
"""

from typing import Any, cast

import numpy as np
import scipy.cluster.vq as vq

from medseg.errors import DataError
from medseg.studies.baselines.brightness import Floats, IndexMap, by_brightness

__all__ = ["k_means"]

# Centres of so many voxels, drawn at random, are those of all as far as anyone could see.
_MOST_VOXELS = 50_000
# Of several starts the best is taken: one may end in a poor local minimum.
_STARTS = 3
_MOST_STEPS = 100
_vq = cast("Any", vq)


def k_means(image: Floats, levels: int, *, seed: int = 0) -> IndexMap:
    """Assign each voxel to the nearest of `levels` centres.

    Args:
        image: `(*spatial, C)`.
        levels: Number of centres, at least 2.
        seed: Of the draws; the same image gives the same map.

    Returns:
        `(*spatial)`, from 0, the darkest centre.

    Raises:
        DataError: If the voxels have fewer values than centres.
    """
    voxels = image.reshape(-1, image.shape[-1])
    generator = np.random.default_rng(seed)
    count = min(len(voxels), _MOST_VOXELS)
    drawn = voxels[generator.choice(len(voxels), count, replace=False)]
    fits = [_fit(drawn, levels, generator) for _ in range(_STARTS)]
    centres = min(fits, key=lambda fit: fit[1])[0]
    groups = _vq.vq(voxels, centres)[0]
    return by_brightness(groups.reshape(image.shape[:-1]), image, levels)


def _fit(voxels: Floats, levels: int, generator: np.random.Generator) -> tuple[Floats, float]:
    """Centres, and the sum of the squared distances to the nearest."""
    centres = _first_centres(voxels, levels, generator)
    for _ in range(_MOST_STEPS):
        nearest: Any = _vq.vq(voxels, centres)[0]
        moved = centres.copy()
        for level in np.unique(nearest):
            moved[level] = voxels[nearest == level].mean(axis=0)
        if (moved == centres).all():
            break
        centres = moved
    return centres, float((_vq.vq(voxels, centres)[1] ** 2).sum())


def _first_centres(voxels: Floats, levels: int, generator: np.random.Generator) -> Floats:
    """Voxels far from one another, by k-means++."""
    centres = voxels[generator.integers(len(voxels))][None]
    while len(centres) < levels:
        squared = _vq.vq(voxels, centres)[1] ** 2
        total = squared.sum()
        if not total:
            raise DataError(f"its voxels have fewer than {levels} values to separate")
        drawn = generator.choice(len(voxels), p=squared / total)
        centres = np.concatenate([centres, voxels[drawn][None]])
    return centres
