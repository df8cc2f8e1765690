"""Gaussian noise: the noise of detectors and electronics in CT, microscopes and cameras.

MONAI's transform draws float64 numbers one by one in numpy; torch's vectorised generator takes an
eighth of the time.
"""

from collections.abc import Sequence

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_span
from medseg.transforms.intensity import RandIntensity, draw_uniform, random_generator

__all__ = ["RandGaussianNoised", "add_gaussian_noise"]


def add_gaussian_noise(image: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """Add white noise.

    Args:
        image: `(C, *spatial)` float32.
        std: Standard deviation, in the image's units.
        generator: On the image's device.

    Returns:
        `(C, *spatial)`, a new tensor.
    """
    noise = torch.randn(image.shape, generator=generator, device=image.device)
    return noise.mul_(std).add_(image)


class RandGaussianNoised(RandIntensity):
    """Add white Gaussian noise of random strength.

    Args:
        keys: Images `(C, *spatial)`.
        std_range: Standard deviation, drawn uniformly in `[low, high]`, at least 0, in the
            image's units.
        prob: Probability of changing a patch, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(self, keys: KeysCollection, std_range: Sequence[float], prob: float = 0.1) -> None:
        super().__init__(keys, prob)
        self.std_range = require_span("RandGaussianNoised: std_range", std_range, at_least=0)

    def change(self, image: Tensor) -> Tensor:
        """Draw the strength, then the noise."""
        std = draw_uniform(self.R, self.std_range)
        return add_gaussian_noise(image, std, random_generator(self.R, image.device))
