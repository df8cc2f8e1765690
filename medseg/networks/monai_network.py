"""MONAI networks for comparison: attention U-Net and SegResNet, described in the header of weights.

MONAI's networks do not know the arguments that they were built with, nor which image sizes fit;
a training stores the former, and has to refuse the latter before its first epoch.

References:
    Oktay et al., Attention U-Net, MIDL 2018. https://arxiv.org/abs/1804.03999
    Myronenko, 3D MRI brain tumor segmentation using autoencoder regularization (SegResNet),
    BrainLes 2018. https://doi.org/10.1007/978-3-030-11726-9_28
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor, nn

from medseg._checks import require_choice, require_whole_number
from medseg.errors import UsageError

__all__ = ["MonaiNetwork"]

Name = Literal["AttentionUnet", "SegResNet"]

# What may be said of each, by MONAI's own names, and how long a list or large a number of blocks
# may be: a header of weights comes from anywhere.
_ARGUMENTS: dict[Name, dict[str, Any]] = {
    "AttentionUnet": {
        "channels": (16, 32, 64, 128, 256),
        "strides": (2, 2, 2, 2),
        "kernel_size": 3,
        "up_kernel_size": 3,
        "dropout": 0.0,
    },
    "SegResNet": {
        "init_filters": 16,
        "blocks_down": (1, 2, 2, 4),
        "blocks_up": (1, 1, 1),
        "dropout_prob": None,
        "upsample_mode": "nontrainable",
    },
}
_MOST = 16


class MonaiNetwork(nn.Module):
    """One of MONAI's networks, with its own blocks, norms and initialisation; logits out.

    Args:
        name: `AttentionUnet`, with strided convolutions, batch norm and attention gates in its
            skips; or `SegResNet`, with residual blocks and group norm.
        spatial_dims: 2 or 3.
        in_channels: Channels of the image.
        out_channels: Classes, background included.
        arguments: Others, by MONAI's names. Of AttentionUnet: `channels` of each level (16, 32,
            64, 128, 256), `strides` between them (2), `kernel_size` and `up_kernel_size` (3),
            `dropout` (0). Of SegResNet: `init_filters` (16, a multiple of 8), `blocks_down` (1,
            2, 2, 4), `blocks_up` (1, 1, 1), `dropout_prob` (none), `upsample_mode`
            (nontrainable).

    Raises:
        UsageError: If an argument is unknown or out of its range.
    """

    def __init__(
        self,
        name: Name,
        spatial_dims: Literal[2, 3],
        in_channels: int,
        out_channels: int,
        *,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        require_choice("MonaiNetwork: name", name, get_args(Name))
        require_choice("MonaiNetwork: spatial_dims", spatial_dims, (2, 3))
        require_whole_number("MonaiNetwork: in_channels", in_channels, at_least=1)
        require_whole_number("MonaiNetwork: out_channels", out_channels, at_least=1)
        further = dict(arguments or {})
        self._arguments = {
            "name": name,
            "spatial_dims": spatial_dims,
            "in_channels": in_channels,
            "out_channels": out_channels,
            "arguments": further,
        }
        given = {**_ARGUMENTS[name], **_checked(name, further)}
        self.axes, self.in_channels = spatial_dims, in_channels
        self.multiple = _multiple(name, given)
        try:
            self.network = _monai_class(name)(
                spatial_dims=spatial_dims,
                in_channels=in_channels,
                out_channels=out_channels,
                **given,
            )
        except (AttributeError, ArithmeticError, KeyError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(f"MonaiNetwork: {name} cannot be built: {reason}") from error

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits, `(B, out_channels, *spatial)`.

        Args:
            image: `(B, in_channels, *spatial)`, each size a multiple of the total stride.

        Raises:
            UsageError: If the image's shape does not fit; in eager mode only.
        """
        tracing = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
        if not tracing and not torch.compiler.is_compiling():
            self.output_size(image.shape[2:])
        return self.network(image)

    def describe(self) -> dict[str, Any]:
        """The class and all its arguments, as in a config; for the header of the weights."""
        return {"_target_": "medseg.networks.MonaiNetwork", **self._arguments}

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Spatial size of the logits: that of the image.

        Raises:
            UsageError: If no image of that size fits.
        """
        fits = len(size) == self.axes and all(n > 0 and n % self.multiple == 0 for n in size)
        if not fits:
            raise UsageError(
                f"{self._arguments['name']}: spatial size of the input must be {self.axes} "
                f"multiples of {self.multiple}, got {tuple(size)}; pad it or take fewer levels"
            )
        return tuple(size)


def _monai_class(name: Name) -> Any:
    # Here, as it imports all of MONAI's networks: half a second, which others do not need.
    from monai.networks import nets

    return getattr(nets, name)


def _checked(name: Name, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse what MONAI would take and fail on later, or build without an end."""
    for key, value in given.items():
        if key not in _ARGUMENTS[name]:
            raise UsageError(
                f"MonaiNetwork: {name} has no argument {key!r:.60}; it has "
                f"{', '.join(_ARGUMENTS[name])}"
            )
        if isinstance(_ARGUMENTS[name][key], tuple):
            most = None if key == "channels" else _MOST
            _require_list(f"MonaiNetwork: {name}: {key}", value, most)
    return given


def _require_list(key: str, value: Any, most: int | None) -> None:
    numbers = list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
    if not 1 <= len(numbers) <= _MOST:
        raise UsageError(f"{key} must be a list of 1 to {_MOST} whole numbers, got {value!r:.80}")
    for number in numbers:
        if require_whole_number(key, number, at_least=1) > (most or number):
            raise UsageError(f"{key} must be numbers up to {most}, got {number}")


def _multiple(name: Name, arguments: Mapping[str, Any]) -> int:
    """Total stride of a network, the product of those between its levels."""
    longer, shorter = {
        "AttentionUnet": ("channels", "strides"),
        "SegResNet": ("blocks_down", "blocks_up"),
    }[name]
    if len(arguments[longer]) != len(arguments[shorter]) + 1 or len(arguments[longer]) < 2:
        raise UsageError(
            f"MonaiNetwork: {name}: {shorter} must be one fewer than {longer}, "
            f"got {list(arguments[shorter])} and {list(arguments[longer])}"
        )
    if name == "AttentionUnet":
        return math.prod(arguments["strides"])
    return 2 ** len(arguments["blocks_up"])
