"""Simulated CT scan of a chest phantom: blur, noise, integer Hounsfield units."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.phantoms.grid import Field, Grid, profile

__all__ = ["scan"]

LOWEST_HU, HIGHEST_HU = -1024, 3071


def scan(rng: np.random.Generator, grid: Grid, body: Field, image: Field) -> NDArray[np.int16]:
    """Scan a painted chest.

    Args:
        rng: The only source of randomness.
        grid: The grid.
        body: Signed distance to the skin in mm, positive inside; noise grows with depth.
        image: `(I, J, K)` in HU.

    Returns:
        `(I, J, K)`, values in [-1024, 3071].
    """
    in_plane_mm = rng.uniform(0.7, 1.2)
    sigma = [in_plane_mm / grid.spacing_mm[0], in_plane_mm / grid.spacing_mm[1], 0.4]
    blurred = _blur(image, sigma)
    grain = rng.uniform(0.35, 0.7)
    noise = _blur(rng.standard_normal(grid.shape, dtype=np.float32), [grain, grain, 0.25])
    sd_hu = rng.uniform(10, 30)
    strength = profile(body, [(-10, 0.45), (70, 1.05)]) * profile(grid.z, [(40, 1), (90, 1.4)])
    blurred += strength * noise * np.float32(sd_hu / noise.std())
    return np.clip(np.rint(blurred), LOWEST_HU, HIGHEST_HU).astype(np.int16)


def _blur(field: Field, sigma_voxels: list[float]) -> Field:
    return ndimage.gaussian_filter(field, sigma_voxels, mode="nearest", truncate=3)
