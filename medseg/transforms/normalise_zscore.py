"""Z-score normalisation: subtract an image's own mean, divide by its standard deviation.

For MRI, whose scale differs from scan to scan. MONAI's `NormalizeIntensityd(nonzero=True)`
leaves voxels of 0 at 0, which is then the mean of the tissue: air looks like brain.
Here all voxels are transformed alike, and air ends up below all tissue.
"""

from typing import get_args

import torch
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_choice
from medseg.transforms.normalise import Normalise, Over, foreground

__all__ = ["ZScored", "z_score"]


def z_score(channel: Tensor, over: Over) -> Tensor:
    """Subtract the mean and divide by the standard deviation.

    Args:
        channel: `(*spatial)` float32, finite.
        over: Which voxels are measured, see `foreground`; all are changed.

    Returns:
        `(*spatial)`, a new tensor. Where the measured voxels are all equal only their mean is
        subtracted; where there are none, nothing is changed.
    """
    measured = channel if over == "all" else channel[foreground(channel, over)]
    if measured.numel() == 0:
        return channel.clone()
    mean = measured.mean(dtype=torch.float64)
    std = (measured - mean).square_().mean(dtype=torch.float64).sqrt()
    # Do not amplify rounding errors of the mean in a constant image.
    varies = std > 1e-6 * mean.abs()
    return ((channel - mean) / torch.where(varies, std, 1.0)).float()


class ZScored(Normalise):
    """Normalise each channel to mean 0 and standard deviation 1.

    Args:
        keys: Images `(C, *spatial)`; they come out as float32.
        over: Voxels whose mean and standard deviation are taken: `all`, `nonzero`, or those
            above `otsu`'s threshold. If they are all equal, only their value is subtracted; if
            there are none, the image stays as it is.

    Raises:
        UsageError: If `over` is another word, or a key is not in a sample.
        DataError: If a voxel is NaN or infinite.
    """

    def __init__(self, keys: KeysCollection, over: Over = "nonzero") -> None:
        super().__init__(keys)
        require_choice("ZScored: over", over, get_args(Over))
        self.over: Over = over

    def normalise(self, image: Tensor) -> Tensor:
        """Normalise each channel by its own mean and standard deviation."""
        return torch.stack([z_score(channel, self.over) for channel in image])
