"""Rician noise: the noise of magnitude MR images.

An MR scanner measures a complex signal with Gaussian noise in both parts, of which the image shows
the magnitude. Where there is signal, the noise looks Gaussian; where there is none, it is never
negative and its mean is above 0, which is why air is not black.

Reference:
    Gudbjartsson and Patz, The Rician distribution of noisy MRI data, Magn. Reson. Med. 1995.
    https://doi.org/10.1002/mrm.1910340618
"""

from collections.abc import Sequence

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_span
from medseg.transforms.intensity import RandIntensity, draw_uniform, random_generator
from medseg.transforms.signal import NoSignal, no_signal_level, require_no_signal

__all__ = ["RandRicianNoised", "add_rician_noise"]


def add_rician_noise(signal: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """The magnitude of a real signal plus complex noise.

    Args:
        signal: `(C, *spatial)` float32, 0 where there is none.
        std: Standard deviation of the noise in either part, in the signal's units. Zero signal
            becomes Rayleigh noise of mean std * sqrt(pi / 2).
        generator: On the signal's device.

    Returns:
        `(C, *spatial)`, a new tensor, at least 0.
    """
    both = torch.randn((2, *signal.shape), generator=generator, device=signal.device).mul_(std)
    real, imaginary = both.unbind()
    return real.add_(signal).square_().addcmul_(imaginary, imaginary).sqrt_()


class RandRicianNoised(RandIntensity):
    """Add Rician noise of random strength.

    Args:
        keys: Images `(C, *spatial)`.
        std_range: Standard deviation in either part of the complex signal, drawn uniformly in
            `[low, high]`, at least 0, in the image's units.
        prob: Probability of changing a patch, in [0, 1].
        no_signal: The intensity without signal: a number, 0 for images that were only scaled; or
            `darkest`, the patch's least intensity, for images that were shifted too, such as
            z-scores.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        std_range: Sequence[float],
        prob: float = 0.1,
        *,
        no_signal: NoSignal = "darkest",
    ) -> None:
        super().__init__(keys, prob)
        self.std_range = require_span("RandRicianNoised: std_range", std_range, at_least=0)
        self.no_signal: NoSignal = require_no_signal("RandRicianNoised: no_signal", no_signal)

    def change(self, image: Tensor) -> Tensor:
        """Draw the strength, then the noise."""
        std = draw_uniform(self.R, self.std_range)
        floor = no_signal_level(image, self.no_signal)
        noisy = add_rician_noise(image - floor, std, random_generator(self.R, image.device))
        return noisy.add_(floor)
