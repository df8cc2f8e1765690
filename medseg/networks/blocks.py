"""U-Net blocks: double convolution, plain or residual, downsampling block, upsampling block.

Separate from the network so that each can be tested alone. No branch depends on the data, and
scripted or exported networks use torch's own operators only, for TorchScript and ONNX.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from medseg.networks.cpu.instance_norm import InstanceNorm
from medseg.networks.cpu.join import join
from medseg.networks.cpu.transposed_bias import transposed_conv
from medseg.networks.levels import Convolution

__all__ = [
    "Activation",
    "BlockStyle",
    "ConvBlock",
    "DownBlock",
    "InputNorm",
    "Norm",
    "NormKind",
    "ResidualBlock",
    "UpBlock",
    "convolution_layers",
    "convolve",
    "normalise_image",
]

Activation = Literal["relu", "elu"]
Norm = Literal["none", "one", "both"]
NormKind = Literal["batch", "instance", "group"]
InputNorm = Literal["none", "batch", "instance"]
Sizes = tuple[int, ...]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU}
_BATCH: dict[int, type[nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_CONV: dict[int, type[nn.Conv2d | nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
_POOL: dict[int, type[nn.Module]] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
_TRANSPOSE: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


@dataclass(frozen=True, kw_only=True)
class BlockStyle:
    """Settings shared by all blocks of a network.

    Attributes:
        activation: After each convolution of a block.
        norm: Normalisation before none, the first or both activations of a block.
        norm_kind: Kind of normalisation.
        convolution: See `Levels`.
    """

    activation: Activation
    norm: Norm
    norm_kind: NormKind
    convolution: Convolution


class ConvBlock(nn.Sequential):
    """Double convolution: convolution, norm, activation, twice; then dropout.

    Args:
        channels: Of the input, of the first convolution and of the second; two numbers if both
            convolutions have as many.
        kernel: One size per axis; also sets the number of axes.
        dropout: Rate, in [0, 1); off in evaluation.
        style: Settings shared by all blocks.
    """

    def __init__(
        self,
        channels: tuple[int, int] | tuple[int, int, int],
        kernel: Sizes,
        dropout: float,
        style: BlockStyle,
    ) -> None:
        incoming, inner, outgoing = channels[0], channels[1], channels[-1]
        layers = [
            *convolution_layers(
                (incoming, inner), kernel, normalised=style.norm != "none", style=style
            ),
            *convolution_layers(
                (inner, outgoing), kernel, normalised=style.norm == "both", style=style
            ),
        ]
        super().__init__(*layers, *([nn.Dropout(dropout)] if dropout else []))


class ResidualBlock(nn.Module):
    """Double convolution whose input is added before the last activation; then dropout.

    Where the number of channels changes, the input passes a 1-voxel convolution, with a norm if the
    block has any, and valid convolutions crop it to its centre.

    Args: as of `ConvBlock`.

    Reference: He et al., Deep residual learning, CVPR 2016. https://arxiv.org/abs/1512.03385
    """

    def __init__(
        self,
        channels: tuple[int, int] | tuple[int, int, int],
        kernel: Sizes,
        dropout: float,
        style: BlockStyle,
    ) -> None:
        super().__init__()
        incoming, inner, outgoing = channels[0], channels[1], channels[-1]
        *second, activation = convolution_layers(
            (inner, outgoing), kernel, normalised=style.norm == "both", style=style
        )
        first = convolution_layers(
            (incoming, inner), kernel, normalised=style.norm != "none", style=style
        )
        self.layers = nn.Sequential(*first, *second)
        self.shortcut = _shortcut((incoming, outgoing), len(kernel), style)
        self.last = nn.Sequential(activation, *([nn.Dropout(dropout)] if dropout else []))

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, `(B, C', *spatial)`, of features `(B, C, *spatial)`."""
        added = self.layers(features)
        return self.last(added + _crop_to_centre(self.shortcut(features), added))


class DownBlock(nn.Sequential):
    """Encoder level: max-pooling by `pool`, then a block."""

    def __init__(self, pool: Sizes, block: ConvBlock | ResidualBlock) -> None:
        super().__init__(_POOL[len(pool)](pool), block)


class UpBlock(nn.Module):
    """Decoder level: transposed convolution by `pool`, concatenation with the skip, then a block.

    Args:
        channels: Of the input, and of the transposed convolution's output.
        pool: Kernel and stride of the transposed convolution.
        block: Its input is the concatenation of skip and transposed convolution.
        style: Settings shared by all blocks; `valid` crops the skip.
    """

    def __init__(
        self,
        channels: tuple[int, int],
        pool: Sizes,
        block: ConvBlock | ResidualBlock,
        style: BlockStyle,
    ) -> None:
        super().__init__()
        self.up = _TRANSPOSE[len(pool)](*channels, kernel_size=pool, stride=pool)
        self.block = block
        self.convolution: str = style.convolution

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """Return the features one level up.

        Args:
            features: `(B, C, *spatial)` from the level below.
            skip: `(B, C', *spatial')` from the encoder at this level.
        """
        # TorchScript compiles only this branch. torch does not export is_scripting.
        if torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
            features = self.up(features)
            return self.block(torch.cat([self._beside(features, skip), features], dim=1))
        features = transposed_conv(self.up, features)
        return self.block(join(self._beside(features, skip), features))

    def _beside(self, features: Tensor, skip: Tensor) -> Tensor:
        return _crop_to_centre(skip, features) if self.convolution == "valid" else skip


def convolve(channels: tuple[int, int], kernel: Sizes, padding: Sizes | int = 0) -> nn.Module:
    """A convolution with bias, in as many axes as the kernel has."""
    return _CONV[len(kernel)](*channels, kernel_size=kernel, padding=padding)  # pyright: ignore[reportArgumentType] - the number of axes is in the dictionary's key


def normalise_image(kind: InputNorm, in_channels: int, spatial_dims: int) -> nn.Module:
    """Normalisation of the image before the first convolution; for `none`, none."""
    return nn.Identity() if kind == "none" else _norm(kind, in_channels, spatial_dims)


def convolution_layers(
    channels: tuple[int, int], kernel: Sizes, *, normalised: bool, style: BlockStyle
) -> list[nn.Module]:
    """A convolution, its norm if it has one, and the activation."""
    padding = tuple(size // 2 for size in kernel) if style.convolution == "padded" else 0
    layers = [convolve(channels, kernel, padding)]
    if normalised:
        layers.append(_norm(style.norm_kind, channels[1], len(kernel)))
    # In place is safe: neither a convolution nor a norm without activation needs its output for
    # the gradient, and both activations compute theirs from their own output.
    return [*layers, _ACTIVATIONS[style.activation](inplace=True)]


def _shortcut(channels: tuple[int, int], spatial_dims: int, style: BlockStyle) -> nn.Module:
    if channels[0] == channels[1]:
        return nn.Identity()
    layers = [convolve(channels, (1,) * spatial_dims)]
    if style.norm != "none":
        layers.append(_norm(style.norm_kind, channels[1], spatial_dims))
    return nn.Sequential(*layers)


def _norm(kind: NormKind, width: int, spatial_dims: int) -> nn.Module:
    if kind == "batch":
        return _BATCH[spatial_dims](width)
    if kind == "instance":
        return InstanceNorm(width)
    # Eight groups, or the largest power of two below that divides the width.
    return nn.GroupNorm(math.gcd(width, 8), width)


def _crop_to_centre(skip: Tensor, features: Tensor) -> Tensor:
    for axis in range(2, features.dim()):
        start = (skip.size(axis) - features.size(axis)) // 2
        skip = skip.narrow(axis, start, features.size(axis))
    return skip
