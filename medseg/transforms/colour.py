"""Colour transform helpers: an RGB check, and a 3x3 matrix for every pixel."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medseg.errors import DataError

__all__ = ["Floats", "check_rgb", "mix_channels"]

Floats = NDArray[np.float64]


def check_rgb(image: Tensor) -> None:
    """Check that an image is RGB in [0, 1].

    Raises:
        DataError: If there are not three channels, or an intensity is out of [0, 1].
    """
    if image.shape[0] != 3:
        raise DataError(f"image must have 3 channels, red, green and blue, got {image.shape[0]}")
    low, high = (float(end) for end in image.aminmax())
    # Tolerate rounding errors of a scaling to [0, 1] or of a cubic interpolation.
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise DataError(
            f"image must have colours in [0, 1], got [{low:g}, {high:g}]; scale it first with "
            "ScaleIntensityRanged, and put colour transforms before any z-score"
        )


def mix_channels(image: Tensor, matrix: Floats, offset: Floats) -> Tensor:
    """Multiply each pixel's channels by a matrix and add an offset.

    Args:
        image: `(3, *spatial)` float32.
        matrix: `(3, 3)`, from old channels (columns) to new ones (rows).
        offset: `(3,)`.

    Returns:
        `(3, *spatial)`, a new tensor.
    """
    weights = torch.as_tensor(matrix).to(image)
    added = torch.as_tensor(offset).to(image)
    return torch.addmm(added[:, None], weights, image.flatten(1)).reshape(image.shape)
