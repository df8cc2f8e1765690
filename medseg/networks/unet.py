"""U-Net for 2-D and 3-D, as in the published recipes.

MONAI's U-Nets have a fixed depth, downsample by strided convolution, lack valid convolutions, or
require a norm; the published recipes differ in just these. Each bundle's config states its choice.

References:
    Ronneberger et al., U-Net, MICCAI 2015. https://doi.org/10.1007/978-3-319-24574-4_28
    Çiçek et al., 3D U-Net, MICCAI 2016. https://doi.org/10.1007/978-3-319-46723-8_49
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from medseg._checks import require_choice, require_whole_number
from medseg.errors import UsageError
from medseg.networks.blocks import (
    Activation,
    BlockStyle,
    ConvBlock,
    DownBlock,
    InputNorm,
    Norm,
    NormKind,
    ResidualBlock,
    UpBlock,
    convolve,
    normalise_image,
)
from medseg.networks.channels import LevelChannels, LevelWidth, level_channels
from medseg.networks.initialise import Initialisation, initialise
from medseg.networks.levels import (
    AxisSizes,
    Levels,
    per_level,
    rates,
    require_deep_supervision,
)
from medseg.networks.levels import widths as even_widths
from medseg.networks.mirrored_border import MirroredBorder, trimmed

__all__ = ["UNet"]

Convolution = Literal["padded", "valid", "mirrored"]
Residual = Literal["none", "encoder", "all"]
# Kind of the encoder's blocks, and of the decoder's.
_BLOCKS: dict[Residual, tuple[type[ConvBlock | ResidualBlock], type[ConvBlock | ResidualBlock]]] = {
    "none": (ConvBlock, ConvBlock),
    "encoder": (ResidualBlock, ConvBlock),
    "all": (ResidualBlock, ResidualBlock),
}
# Arguments that a description leaves out where they have these values: headers of weights and
# checkpoints stay what they were before there were these.
_UNSAID: dict[str, Any] = {"residual": "none", "deep_supervision": 0}


class UNet(nn.Module):
    """U-Net: max-pooling encoder, transposed-convolution decoder, concatenated skips, logits out.

    A level has two convolutions in the encoder and two in the decoder; the deepest level, the
    bottleneck, has two. A 1-voxel convolution gives the logits.

    Args:
        spatial_dims: 2 or 3.
        in_channels: Channels of the image.
        out_channels: Classes, background included.
        depth: Number of levels, the bottleneck included; at least 2.
        first_width: Feature channels at full resolution.
        growth: Factor of the feature channels from level to level, at least 1; rounded.
        max_width: Largest number of feature channels; None sets no limit.
        widths: Feature channels of each level, instead of the three above: `depth` entries, each
            a number, or one number for each convolution of the level: two of the encoder, the
            transposed one, two of the decoder; two in the deepest level. As pruning leaves them.
        activation: After each convolution but the last and the transposed ones.
        norm: Normalisation between convolution and activation: nowhere, after the first
            convolution of each block (the second keeps the contrast that an instance norm
            takes away), or after both.
        norm_kind: `batch`, `instance` or `group`, each with learnt scale and shift; `group`
            has eight groups, or the largest power of two below that divides the width.
        input_norm: Normalisation of the image itself before the first convolution, likewise
            with learnt scale and shift; `none` for images that are normalised already.
        initialisation: `he` (normal) or `glorot` (uniform), transposed convolutions
            included, biases zero; or `torch`, its own default.
        dropout: Rate in [0, 1), one for all levels or one per level, applied element-wise at the
            end of that level's blocks, in encoder and decoder.
        convolution: `padded` keeps the size; `valid` trims the border with every convolution and
            crops the skips to their centre, as published in 2015; `mirrored` does so with an image
            that its own mirror has made larger, as published too, and keeps the size.
        kernel_sizes: Kernel of the convolutions, one entry per level, each a number or one
            number per axis; None means 3.
        pool_sizes: Pooling between levels, `depth - 1` entries, likewise; None means 2.
        residual: Blocks whose input is added to what they give: `none`, those of the `encoder`,
            bottleneck included, or `all`.
        deep_supervision: Number of coarser levels of the decoder that give logits of their own, in
            training only, from 0 to `depth - 2`; see `medseg.losses.DeepSupervision`. Needs padded
            convolutions.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each choice
        self,
        spatial_dims: Literal[2, 3],
        in_channels: int,
        out_channels: int,
        *,
        depth: int = 5,
        first_width: int = 32,
        growth: float = 2.0,
        max_width: int | None = None,
        widths: Sequence[LevelWidth] | None = None,
        activation: Activation = "relu",
        norm: Norm = "both",
        norm_kind: NormKind = "instance",
        input_norm: InputNorm = "none",
        initialisation: Initialisation = "he",
        dropout: float | Sequence[float] = 0.0,
        convolution: Convolution = "padded",
        kernel_sizes: Sequence[AxisSizes] | None = None,
        pool_sizes: Sequence[AxisSizes] | None = None,
        residual: Residual = "none",
        deep_supervision: int = 0,
    ) -> None:
        super().__init__()
        self._arguments = {
            name: value for name, value in locals().items() if name not in ("self", "__class__")
        }
        require_choice("UNet: spatial_dims", spatial_dims, (2, 3))
        require_choice("UNet: activation", activation, get_args(Activation))
        require_choice("UNet: norm", norm, get_args(Norm))
        require_choice("UNet: norm_kind", norm_kind, get_args(NormKind))
        require_choice("UNet: input_norm", input_norm, get_args(InputNorm))
        require_choice("UNet: initialisation", initialisation, get_args(Initialisation))
        require_choice("UNet: convolution", convolution, get_args(Convolution))
        require_choice("UNet: residual", residual, get_args(Residual))
        require_whole_number("UNet: in_channels", in_channels, at_least=1)
        require_whole_number("UNet: out_channels", out_channels, at_least=1)
        even = even_widths(depth, first_width=first_width, growth=growth, max_width=max_width)
        channels = level_channels(even if widths is None else widths, depth=depth)
        levels = Levels(
            widths=tuple(level.encoder[1] for level in channels),
            kernels=per_level("kernel_sizes", kernel_sizes, 3, count=depth, axes=spatial_dims),
            pools=per_level("pool_sizes", pool_sizes, 2, count=depth - 1, axes=spatial_dims),
            dropouts=rates(dropout, depth=depth),
            convolution="padded" if convolution == "padded" else "valid",
        )
        require_deep_supervision(deep_supervision, depth=depth, convolution=convolution)
        style = BlockStyle(
            activation=activation, norm=norm, norm_kind=norm_kind, convolution=levels.convolution
        )
        self.levels = levels
        self.in_channels = in_channels
        self.needs_two_voxels = norm != "none" and norm_kind == "instance"
        self.input_norm = normalise_image(input_norm, in_channels, spatial_dims)
        self.is_mirrored = convolution == "mirrored"
        self.border = MirroredBorder(levels) if self.is_mirrored else nn.Identity()
        down, up = _BLOCKS[residual]
        self.stem = _block(down, (in_channels, *channels[0].encoder), 0, levels, style)
        self.down = nn.ModuleList(
            _down(down, level, channels, levels, style) for level in range(1, depth)
        )
        self.up = nn.ModuleList(
            _up(up, level, channels, levels, style) for level in reversed(range(depth - 1))
        )
        self.head = convolve((channels[0].output, out_channels), (1,) * spatial_dims)
        # One for each coarser level, the finest of them first.
        self.coarse_heads = nn.ModuleList(
            convolve((channels[level].output, out_channels), (1,) * spatial_dims)
            for level in range(1, deep_supervision + 1)
        )
        initialise(self, initialisation)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits.

        Args:
            image: `(B, in_channels, *spatial)`.

        Returns:
            `(B, out_channels, *spatial)`; smaller with valid convolutions, see `output_size`. With
            deep supervision, in training: a list of these and of the logits of coarser levels.

        Raises:
            UsageError: If the image's shape does not fit; in eager mode only: traced, scripted
                and compiled networks raise torch's own errors.
        """
        if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
            self._check_shape(image)
        skips: list[Tensor] = []
        features = self.stem(self.border(self.input_norm(image)))
        for down in self.down:
            skips.append(features)
            features = down(features)
        coarse: list[Tensor] = []
        for up in self.up:
            if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
                self._keep_coarse(coarse, features)
            features = up(features, skips.pop())
        logits = self.head(features)
        if not torch.jit.is_scripting() and coarse:  # pyright: ignore[reportPrivateImportUsage]
            return self._with_coarse(logits, coarse)
        return trimmed(logits, list(image.shape[2:])) if self.is_mirrored else logits

    @torch.jit.unused
    def describe(self) -> dict[str, Any]:
        """The class and all its arguments, as in a config; for the header of the weights."""
        said = {k: v for k, v in self._arguments.items() if k not in _UNSAID or v != _UNSAID[k]}
        return {"_target_": "medseg.networks.UNet", **said}

    @torch.jit.unused
    def encoder_parts(self) -> list[nn.Module]:
        """The parts that `freeze=encoder` keeps: all down to the bottleneck, which is included."""
        return [self.input_norm, self.stem, self.down]

    @torch.jit.unused
    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the logits for an image of spatial size `size`.

        Raises:
            UsageError: If no image of that size fits; the message lists the sizes that do.
        """
        return tuple(size) if self.is_mirrored else self.levels.output_size(size)

    @property
    @torch.jit.unused
    def deep_supervision(self) -> int:
        """Number of coarser levels that give logits in training."""
        return len(self.coarse_heads)

    @torch.jit.unused
    def _keep_coarse(self, kept: list[Tensor], features: Tensor) -> None:
        """Keep decoder features that a coarse head reads, in training."""
        if self.training and len(self.coarse_heads):
            kept.append(features)

    @torch.jit.unused
    def _with_coarse(self, logits: Tensor, kept: list[Tensor]) -> Any:
        heads: Any = self.coarse_heads
        return [logits, *(head(each) for head, each in zip(heads, reversed(kept), strict=False))]

    @torch.jit.unused
    def _check_shape(self, image: Tensor) -> None:
        tracing = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
        if tracing or torch.compiler.is_compiling():
            return
        axes = len(self.levels.kernels[0])
        if image.dim() != axes + 2 or image.size(1) != self.in_channels:
            raise UsageError(
                f"UNet: image must be (B, {self.in_channels}, *spatial) with {axes} spatial axes, "
                f"got {tuple(image.shape)}"
            )
        size = image.shape[2:]
        wide = self.levels.input_size(size) if self.is_mirrored else size
        self.levels.output_size(wide)
        bottom = self.levels.bottleneck_size(wide)
        if self.needs_two_voxels and math.prod(bottom) < 2:
            raise UsageError(
                "UNet: instance norm needs more than one voxel at the bottleneck, "
                f"got an image of {tuple(image.shape[2:])}; use a larger image or a smaller depth"
            )


def _block(
    kind: type[ConvBlock | ResidualBlock],
    channels: tuple[int, int, int],
    level: int,
    levels: Levels,
    style: BlockStyle,
) -> ConvBlock | ResidualBlock:
    return kind(channels, levels.kernels[level], levels.dropouts[level], style)


def _down(
    kind: type[ConvBlock | ResidualBlock],
    level: int,
    channels: Sequence[LevelChannels],
    levels: Levels,
    style: BlockStyle,
) -> DownBlock:
    through = (channels[level - 1].encoder[1], *channels[level].encoder)
    return DownBlock(levels.pools[level - 1], _block(kind, through, level, levels, style))


def _up(
    kind: type[ConvBlock | ResidualBlock],
    level: int,
    channels: Sequence[LevelChannels],
    levels: Levels,
    style: BlockStyle,
) -> UpBlock:
    own, below = channels[level], channels[level + 1]
    block = _block(kind, (own.encoder[1] + own.up, *own.decoder), level, levels, style)
    return UpBlock((below.output, own.up), levels.pools[level], block, style)
