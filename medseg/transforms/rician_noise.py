"""Rician noise: what is left of complex Gaussian noise in a magnitude MR image.

An MR scanner measures a complex signal with Gaussian noise in both parts and shows its magnitude.
Where there is signal that looks like Gaussian noise; where there is none it is never
negative and has a mean of its own, which is why air is not black.

Reference:
    Gudbjartsson and Patz, The Rician distribution of noisy MRI data, Magn. Reson. Med. 1995.
    https://doi.org/10.1002/mrm.1910340618
"""

from collections.abc import Sequence

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_span
from medseg.transforms.intensity import RandIntensity, draw_evenly, random_generator
from medseg.transforms.signal import NoSignal, no_signal_level, require_no_signal

__all__ = ["RandRicianNoised", "add_rician_noise"]


def add_rician_noise(signal: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """The magnitude of a real signal plus complex noise.

    Args:
        signal: `(C, *spatial)` float32, 0 where there is none.
        std: Standard deviation of the noise in either part, in the signal's units. No signal
            becomes noise of mean std * sqrt(pi / 2), Rayleigh's.
        generator: Of the signal's device.

    Returns:
        `(C, *spatial)`, a new tensor, at least 0.
    """
    both = torch.randn((2, *signal.shape), generator=generator, device=signal.device).mul_(std)
    real, imaginary = both.unbind()
    return real.add_(signal).square_().addcmul_(imaginary, imaginary).sqrt_()


class RandRicianNoised(RandIntensity):
    """Add the noise of a magnitude MR image, of a random strength.

    Args:
        keys: Images `(C, *spatial)`.
        std_range: `[low, high]`, at least 0; from which the standard deviation in either
            part of the complex signal is drawn evenly, in the image's units.
        prob: Share of the patches, in [0, 1].
        no_signal: The intensity that stands for no signal: a number, 0 for images that were
            only scaled; or `darkest`, the patch's least intensity, for those that were
            shifted too, as z-scores are.

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
        std = draw_evenly(self.R, self.std_range)
        floor = no_signal_level(image, self.no_signal)
        noisy = add_rician_noise(image - floor, std, random_generator(self.R, image.device))
        return noisy.add_(floor)
