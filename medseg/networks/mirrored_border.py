"""Mirrored border: an image made larger by its own mirror, for valid convolutions.

Valid convolutions see no invented zeros, but give less than they are given. The paper
of 2015 extrapolates what is missing around an image by mirroring; the logits are then as large.

Reference:
    Ronneberger et al., U-Net, MICCAI 2015, fig. 2. https://doi.org/10.1007/978-3-319-24574-4_28
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from medseg.errors import UsageError
from medseg.networks.levels import Levels

__all__ = ["MirroredBorder", "trimmed"]


class MirroredBorder(nn.Module):
    """Mirror an image at its edges, so that valid convolutions give at least its size.

    Args:
        levels: The levels of the network that follows.
    """

    def __init__(self, levels: Levels) -> None:
        super().__init__()
        self.levels = levels

    @torch.jit.ignore  # pyright: ignore[reportArgumentType, reportUnknownMemberType] - torch types its decorator loosely
    def forward(self, image: Tensor) -> Tensor:
        """Return the larger image, the given one at its centre.

        Args:
            image: `(B, C, *spatial)`.

        Raises:
            UsageError: If the border is wider than the image, which has no more to mirror.
        """
        size = tuple(image.shape[2:])
        wide = self.levels.input_size(size)
        margins: list[int] = []
        for length, whole, output in zip(size, wide, self.levels.output_size(wide), strict=True):
            before = (whole - output) // 2
            # torch counts axes from the last.
            margins = [before, whole - length - before, *margins]
        if max(margins) >= min(size):
            raise UsageError(
                f"UNet: mirrored convolutions need a border of {max(margins)} voxels, and an image "
                f"of {size} has no more than {min(size) - 1} to mirror; use larger patches or a "
                "smaller depth"
            )
        return pad(image, margins, mode="reflect")


def trimmed(logits: Tensor, size: list[int]) -> Tensor:
    """The first `size` voxels along each spatial axis of `(B, C, *spatial)`."""
    # In words that TorchScript has.
    for axis in range(len(size)):
        logits = logits.narrow(axis + 2, 0, size[axis])
    return logits
