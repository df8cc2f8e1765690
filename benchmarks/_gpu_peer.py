"""The peer of the GPU check's training step: nnU-Net's, in plain torch.

Convolution, instance norm, leaky ReLU, twice a level; strided convolutions down, transposed ones
up; Dice + cross-entropy; SGD with Nesterov momentum. Its deep supervision is left out, as medseg
has none: with it a step is some per cent longer.

Reference:
    Isensee et al., nnU-Net, Nature Methods 2021. https://doi.org/10.1038/s41592-020-01008-z
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

__all__ = ["PlainUNet", "dice_ce", "nesterov"]


class PlainUNet(nn.Module):
    """A 3-D U-Net of one channel, with as many levels as there are widths."""

    def __init__(self, widths: list[int], classes: int) -> None:
        super().__init__()
        above = [1, *widths[:-1]]
        strides = [1, *[2] * (len(widths) - 1)]
        self.down = nn.ModuleList(map(_stage, above, widths, strides))
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose3d(low, high, 2, 2) for high, low in pairs)
        self.join = nn.ModuleList(_stage(2 * high, high, 1) for high, _ in pairs)
        self.head = nn.Conv3d(widths[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """`(B, 1, *spatial)` to logits `(B, classes, *spatial)`."""
        skips: list[Tensor] = []
        for stage in self.down:
            image = stage(image)
            skips.append(image)
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            image = join(torch.cat((up(image), skips.pop()), dim=1))
        return self.head(image)


def dice_ce(logits: Tensor, label: Tensor) -> Tensor:
    """Soft Dice of the foreground classes over the batch, plus cross-entropy.

    Args:
        logits: `(B, C, *spatial)` float32.
        label: `(B, 1, *spatial)`, class indices.
    """
    target = label[:, 0].long()
    hot = one_hot(target, logits.shape[1]).movedim(-1, 1)
    chance = logits.softmax(1)
    voxels = (0, 2, 3, 4)
    both = (chance * hot).sum(voxels)[1:]
    either = chance.sum(voxels)[1:] + hot.sum(voxels)[1:]
    return cross_entropy(logits, target) - ((2 * both + 1e-5) / (either + 1e-5)).mean()


def nesterov(network: nn.Module) -> torch.optim.SGD:
    """nnU-Net's optimiser."""
    return torch.optim.SGD(
        network.parameters(), lr=0.01, momentum=0.99, nesterov=True, weight_decay=3e-5
    )


def _stage(channels: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(channels, width, 3, stride, padding=1),
        nn.InstanceNorm3d(width, affine=True),
        nn.LeakyReLU(inplace=True),
        nn.Conv3d(width, width, 3, padding=1),
        nn.InstanceNorm3d(width, affine=True),
        nn.LeakyReLU(inplace=True),
    )
