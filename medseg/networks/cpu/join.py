"""A skip beside the features it joins, whose gradients come back in one piece each.

The gradient of a concatenation is two windows into one array. With channels last the channels
of a window lie apart, and what adds to them, as a skip's other gradient does, goes voxel by
voxel: eight times as long as over two whole arrays, which cost less to make.
"""

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from medseg.networks.cpu.layout import CHANNELS_LAST, is_channels_last_on_cpu

__all__ = ["join"]


@torch.jit.unused
def join(skip: Tensor, features: Tensor) -> Tensor:
    """Concatenate channels, as `torch.cat` does.

    Args:
        skip: `(B, C, *spatial)`.
        features: `(B, C', *spatial)`.

    Returns:
        `(B, C + C', *spatial)`.
    """
    learns = torch.is_grad_enabled() and (skip.requires_grad or features.requires_grad)
    if learns and is_channels_last_on_cpu(skip) and is_channels_last_on_cpu(features):
        return _joined(skip.as_subclass(Tensor), features.as_subclass(Tensor))
    return torch.cat([skip, features], dim=1)


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, skip: Tensor, features: Tensor) -> Tensor:
        ctx.widths = skip.size(1), features.size(1)
        return torch.cat([skip, features], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] - torch passes as many as forward returns
        layout = CHANNELS_LAST[gradient.dim()]
        parts = cast("Any", gradient).split(ctx.widths, dim=1)
        return tuple(part.contiguous(memory_format=layout) for part in parts)


_joined = cast("Any", _Joined).apply
