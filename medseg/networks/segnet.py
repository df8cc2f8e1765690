"""SegNet for 2-D and 3-D: encoder and decoder joined by the places of the maxima.

For comparison with the U-Net: instead of features, only the index of each pooled maximum is
handed over, so the decoder knows where borders are, and has to find out again what lies there.

Reference:
    Badrinarayanan et al., SegNet, TPAMI 2017. https://doi.org/10.1109/TPAMI.2016.2644615
"""

import itertools
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from medseg._checks import require_choice, require_number, require_whole_number
from medseg.errors import UsageError
from medseg.networks.blocks import Activation, BlockStyle, NormKind, convolution_layers, convolve
from medseg.networks.initialise import Initialisation, initialise
from medseg.networks.levels import widths

__all__ = ["SegNet"]

_POOL: dict[int, type[nn.Module]] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
_UNPOOL: dict[int, type[nn.Module]] = {2: nn.MaxUnpool2d, 3: nn.MaxUnpool3d}
_MOST_LEVELS, _MOST_CONVOLUTIONS = 16, 16


class SegNet(nn.Module):
    """SegNet: max-pooling encoder, unpooling decoder by the stored indices, no skips, logits out.

    Each convolution has a norm and an activation, but the last, which gives the logits. The
    decoder mirrors the encoder: as many convolutions a level, the last of which has the width of
    the level above.

    Args:
        spatial_dims: 2 or 3.
        in_channels: Channels of the image.
        out_channels: Classes, background included.
        convolutions: Convolutions of each level, from full resolution down; a pooling by 2 follows
            each. As published: those of VGG16, `[2, 2, 3, 3, 3]`.
        first_width: Feature channels at full resolution; 64 as published.
        growth: Factor of the feature channels from level to level, at least 1; rounded.
        max_width: Largest number of feature channels, 512 as published; None sets no limit.
        activation: After each norm.
        norm: `all`, or `none`.
        norm_kind: `batch`, as published, `instance` or `group`, with learnt scale and shift.
        initialisation: `he` (normal), as published, `glorot` (uniform) or `torch`, its default.
        dropout: Rate in [0, 1), element-wise at the end of each level but the last.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each choice
        self,
        spatial_dims: Literal[2, 3],
        in_channels: int,
        out_channels: int,
        *,
        convolutions: Sequence[int] = (2, 2, 3, 3, 3),
        first_width: int = 64,
        growth: float = 2.0,
        max_width: int | None = 512,
        activation: Activation = "relu",
        norm: Literal["none", "all"] = "all",
        norm_kind: NormKind = "batch",
        initialisation: Initialisation = "he",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self._arguments = {
            name: value for name, value in locals().items() if name not in ("self", "__class__")
        }
        require_choice("SegNet: spatial_dims", spatial_dims, (2, 3))
        require_choice("SegNet: activation", activation, get_args(Activation))
        require_choice("SegNet: norm", norm, ("none", "all"))
        require_choice("SegNet: norm_kind", norm_kind, get_args(NormKind))
        require_choice("SegNet: initialisation", initialisation, get_args(Initialisation))
        require_whole_number("SegNet: in_channels", in_channels, at_least=1)
        require_whole_number("SegNet: out_channels", out_channels, at_least=1)
        require_number("SegNet: dropout", dropout, at_least=0, below=1)
        counts = _counts(convolutions)
        levels = widths(
            len(counts), first_width=first_width, growth=growth, max_width=max_width, owner="SegNet"
        )
        style = BlockStyle(
            activation=activation,
            norm="both" if norm == "all" else "none",
            norm_kind=norm_kind,
            convolution="padded",
        )
        self.axes, self.in_channels = spatial_dims, in_channels
        kernel = (3,) * spatial_dims
        above = (in_channels, *levels[:-1])
        self.encoder = nn.ModuleList(
            _level((before, *(width,) * count), kernel, dropout, style)
            for before, width, count in zip(above, levels, counts, strict=True)
        )
        self.pool = _POOL[spatial_dims](2, return_indices=True)
        self.unpool = _UNPOOL[spatial_dims](2)
        down = list(zip(levels, counts, (levels[0], *levels[:-1]), strict=True))
        self.decoder = nn.ModuleList(
            _level((*(width,) * count, after), kernel, dropout, style)
            for width, count, after in reversed(down[1:])
        )
        width, count, _ = down[0]
        self.decoder.append(_level((width,) * count, kernel, 0.0, style))
        self.head = convolve((width, out_channels), kernel, 1)
        initialise(self, initialisation)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits, `(B, out_channels, *spatial)`.

        Args:
            image: `(B, in_channels, *spatial)`; each size a multiple of 2 to the number of levels.

        Raises:
            UsageError: If the image's shape does not fit; in eager mode only.
        """
        self._check_shape(image)
        places: list[Tensor] = []
        features = image
        for level in self.encoder:
            features, indices = self.pool(level(features))
            places.append(indices)
        for level in self.decoder:
            features = level(self.unpool(features, places.pop()))
        return self.head(features)

    def describe(self) -> dict[str, Any]:
        """The class and all its arguments, as in a config; for the header of the weights."""
        return {"_target_": "medseg.networks.SegNet", **self._arguments}

    def encoder_parts(self) -> list[nn.Module]:
        """The parts that `freeze=encoder` keeps."""
        return [self.encoder]

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the logits: that of the image.

        Raises:
            UsageError: If no image of that size fits.
        """
        multiple = 2 ** len(self.encoder)
        if any(length <= 0 or length % multiple for length in size):
            raise UsageError(
                f"SegNet: spatial size of the input must be a multiple of {multiple}, "
                f"got {tuple(size)}; pad it or take fewer levels (convolutions)"
            )
        return tuple(size)

    def _check_shape(self, image: Tensor) -> None:
        tracing = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
        if tracing or torch.compiler.is_compiling():
            return
        if image.dim() != self.axes + 2 or image.size(1) != self.in_channels:
            raise UsageError(
                f"SegNet: image must be (B, {self.in_channels}, *spatial) with {self.axes} "
                f"spatial axes, got {tuple(image.shape)}"
            )
        self.output_size(image.shape[2:])


def _level(
    channels: Sequence[int], kernel: tuple[int, ...], dropout: float, style: BlockStyle
) -> nn.Sequential:
    """Convolutions from width to width, each with norm and activation; none for one width."""
    layers = [
        layer
        for pair in itertools.pairwise(channels)
        for layer in convolution_layers(pair, kernel, normalised=style.norm != "none", style=style)
    ]
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []))


def _counts(convolutions: Sequence[int]) -> tuple[int, ...]:
    if not 2 <= len(convolutions) <= _MOST_LEVELS:
        raise UsageError(
            f"SegNet: convolutions must be one number for each of 2 to {_MOST_LEVELS} levels, "
            f"got {list(convolutions)}"
        )
    for count in convolutions:
        require_whole_number("SegNet: convolutions", count, at_least=1)
        if count > _MOST_CONVOLUTIONS:
            raise UsageError(
                f"SegNet: convolutions must be at most {_MOST_CONVOLUTIONS} a level, got {count}"
            )
    return tuple(convolutions)
