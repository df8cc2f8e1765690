"""Gaussian noise: what detectors and electronics add to CT, microscopes and cameras.

MONAI's draws float64 numbers one by one in numpy; torch's vectorised generator takes an eighth of
the time.
"""

from collections.abc import Sequence

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_span
from medseg.transforms.intensity import RandIntensity, draw_evenly, random_generator

__all__ = ["RandGaussianNoised", "add_gaussian_noise"]


def add_gaussian_noise(image: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """Add white noise.

    Args:
        image: `(C, *spatial)` float32.
        std: Standard deviation, in the image's units.
        generator: Of the image's device.

    Returns:
        `(C, *spatial)`, a new tensor.
    """
    noise = torch.randn(image.shape, generator=generator, device=image.device)
    return noise.mul_(std).add_(image)


class RandGaussianNoised(RandIntensity):
    """Add Gaussian noise of a random strength to each voxel by itself.

    Args:
        keys: Images `(C, *spatial)`.
        std_range: `[low, high]`, at least 0; from which the standard deviation is drawn
            evenly, in the image's units.
        prob: Share of the patches, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(self, keys: KeysCollection, std_range: Sequence[float], prob: float = 0.1) -> None:
        super().__init__(keys, prob)
        self.std_range = require_span("RandGaussianNoised: std_range", std_range, at_least=0)

    def change(self, image: Tensor) -> Tensor:
        """Draw the strength, then the noise."""
        std = draw_evenly(self.R, self.std_range)
        return add_gaussian_noise(image, std, random_generator(self.R, image.device))
