"""Percentile clipping: keep a few extreme voxels (metal, vessels, spikes) from setting the scale.

MONAI's `ClipIntensityPercentilesd` takes the percentiles over all voxels, of which half may be
air in MRI.
"""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_choice, require_span
from medseg.transforms.normalise import Normalise, Over, foreground

__all__ = ["ClipPercentilesd", "clip_percentiles"]


def clip_percentiles(channel: Tensor, which: Sequence[float], over: Over) -> Tensor:
    """Clip the measured voxels at two of their percentiles.

    Args:
        channel: `(*spatial)` float32, finite.
        which: The lower and the upper percentile, in [0, 100].
        over: Which voxels are measured, see `foreground`. Others stay as they are, so that air
            of value 0 is not raised to the darkest tissue.

    Returns:
        `(*spatial)`, a new tensor; equal to `channel` where no voxel is measured.
    """
    if over == "all":
        return channel.clamp(*_percentiles(channel, which))
    measured = foreground(channel, over)
    if not measured.any():
        return channel.clone()
    return torch.where(measured, channel.clamp(*_percentiles(channel[measured], which)), channel)


def _percentiles(values: Tensor, which: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values.numpy(), which)
    return float(low), float(high)


class ClipPercentilesd(Normalise):
    """Clip each channel at two of its percentiles.

    Args:
        keys: Images `(C, *spatial)`; they come out as float32.
        which: The lower and the upper percentile, in [0, 100].
        over: Voxels whose percentiles are taken: `all`, `nonzero`, or those above `otsu`'s
            threshold. These voxels are clipped, others stay as they are.

    Raises:
        UsageError: If an argument is out of its range, or a key is not in a sample.
        DataError: If a voxel is NaN or infinite.
    """

    def __init__(
        self, keys: KeysCollection, which: Sequence[float] = (0.5, 99.5), over: Over = "nonzero"
    ) -> None:
        super().__init__(keys)
        self.which = require_span("ClipPercentilesd: which", which, at_least=0, at_most=100)
        require_choice("ClipPercentilesd: over", over, get_args(Over))
        self.over: Over = over

    def normalise(self, image: Tensor) -> Tensor:
        """Clip each channel by its own percentiles."""
        return torch.stack([clip_percentiles(c, self.which, self.over) for c in image])
