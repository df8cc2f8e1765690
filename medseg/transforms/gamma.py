"""Gamma: randomly change contrast via a power law.

The darkest and brightest intensities stay, the middle greys move. MONAI's makes more passes over
the image, and its standard deviation takes longer than all the rest. Inversion, and keeping mean
and standard deviation, are nnU-Net's.

Reference:
    Isensee et al., nnU-Net, Nat. Methods 2021. https://doi.org/10.1038/s41592-020-01008-z
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_choice, require_span
from medseg.transforms.intensity import (
    RandIntensity,
    draw_log_uniform,
)

__all__ = ["RandGammad", "adjust_gamma"]

Inverted = Literal["never", "half", "always"]
Keep = Literal["range", "mean and std"]
Channels = Literal["together", "apart"]

_TINY = 1e-20


def adjust_gamma(image: Tensor, gamma: float, *, end: Literal["dark", "bright"]) -> Tensor:
    """Raise the image, rescaled from its own range to [0, 1], to a power, and scale it back.

    Args:
        image: `(C, *spatial)` or `(*spatial)` float32. A constant image stays as it is.
        gamma: Above 0; above 1 moves the middle greys towards `end`.
        end: The end of the range that becomes 0, near which contrast changes most.

    Returns:
        A new tensor with the same least and greatest intensity.
    """
    low, high = image.aminmax()
    span = high - low
    share = (image - low if end == "dark" else high - image).div_(span.clamp_min(_TINY))
    # exp(gamma log x) takes half the time of pow; log 0 is -inf, whose exponential is 0.
    share.log_().mul_(gamma).exp_()
    return torch.addcmul(low, share, span) if end == "dark" else torch.addcmul(high, share, -span)


def with_moments(image: Tensor, *, of: Tensor) -> Tensor:
    """Shift and scale an image, in place, to the mean and standard deviation of another."""
    mean, std = _moments(image)
    target_mean, target_std = _moments(of)
    scale = target_std / std.clamp_min(_TINY)
    return image.mul_(scale).add_(target_mean - mean * scale)


def _moments(image: Tensor) -> tuple[Tensor, Tensor]:
    # torch.std updates a running mean voxel by voxel, and takes ten times as long.
    mean = image.mean()
    return mean, (image - mean).square_().mean().sqrt_()


class RandGammad(RandIntensity):
    """Randomly change contrast via a power law.

    Args:
        keys: Images `(C, *spatial)`.
        gamma_range: Exponent, drawn log-uniformly in `[low, high]`, at least 0.05.
        prob: Probability of changing a patch, in [0, 1].
        inverted: How often the power is applied to the inverted image, which changes contrast near
            the bright end instead of the dark one.
        keep: What is preserved: the `range` of intensities, or their `mean and std`.
        channels: One exponent for all channels `together`, for colours, or one for each, `apart`,
            for MR contrasts.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        keys: KeysCollection,
        gamma_range: Sequence[float] = (0.7, 1.5),
        prob: float = 0.1,
        *,
        inverted: Inverted = "never",
        keep: Keep = "range",
        channels: Channels = "together",
    ) -> None:
        super().__init__(keys, prob)
        self.gamma_range = require_span("RandGammad: gamma_range", gamma_range, at_least=0.05)
        require_choice("RandGammad: inverted", inverted, get_args(Inverted))
        require_choice("RandGammad: keep", keep, get_args(Keep))
        require_choice("RandGammad: channels", channels, get_args(Channels))
        self.inverted_share = {"never": 0.0, "half": 0.5, "always": 1.0}[inverted]
        self.keep, self.channels = keep, channels

    def change(self, image: Tensor) -> Tensor:
        """Draw exponent and inversion, for all channels or for each, and apply them."""
        if self.channels == "together":
            return self._change(image)
        return torch.stack([self._change(channel) for channel in image])

    def _change(self, image: Tensor) -> Tensor:
        gamma = draw_log_uniform(self.R, self.gamma_range)
        end = "bright" if self.R.rand() < self.inverted_share else "dark"
        changed = adjust_gamma(image, gamma, end=end)
        return with_moments(changed, of=image) if self.keep == "mean and std" else changed
