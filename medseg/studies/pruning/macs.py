"""Multiplications and additions of a U-Net, convolution by convolution.

A convolution of `i` to `o` channels takes `i * o` times a factor that depends on its kernel and the
voxels alone. So the cost of other widths is known without building them.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from medseg.networks.unet import UNet
from medseg.studies.pruning.wiring import WiredConv, wiring

__all__ = ["cost_factors", "total_macs", "unet_macs"]


def cost_factors(network: UNet, window: Sequence[int]) -> dict[str, int]:
    """Multiplications for each pair of an input and an output channel, by convolution.

    Args:
        network: Of any device; it is not run.
        window: Voxels along each axis.
    """
    own = copy.deepcopy(network).to("meta").eval()
    factors: dict[str, int] = {}

    def note(name: str, layer: Any, before: Any, after: Any) -> None:
        # A transposed convolution spreads each voxel of its input, the others gather theirs.
        transposed = isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d)
        voxels = math.prod((before[0] if transposed else after).shape[2:])
        factors[name] = math.prod(layer.kernel_size) * voxels

    for one in wiring(network):
        own.get_submodule(one.name).register_forward_hook(partial(note, one.name))
    with torch.no_grad():
        own(torch.empty(1, network.in_channels, *window, device="meta"))
    return factors


def total_macs(
    convolutions: Sequence[WiredConv],
    counts: Mapping[str, int],
    factors: Mapping[str, int],
    in_channels: int,
) -> int:
    """Multiplications and additions of one window, in all convolutions.

    Args:
        convolutions: Of `wiring`.
        counts: Channels of each.
        factors: Of `cost_factors`.
        in_channels: Channels of the image.
    """
    return sum(
        factors[one.name] * counts[one.name] * _inputs(one, counts, in_channels)
        for one in convolutions
    )


def unet_macs(network: UNet, window: Sequence[int]) -> int:
    """Multiplications and additions of one window."""
    from medseg.studies.pruning.removal import channel_counts

    return total_macs(
        wiring(network),
        channel_counts(network),
        cost_factors(network, window),
        network.in_channels,
    )


def _inputs(one: WiredConv, counts: Mapping[str, int], in_channels: int) -> int:
    return sum(counts[source] for source in one.sources) if one.sources else in_channels
