"""Faster bias gradient for transposed convolutions (channels last, CPU).

In channels last, oneDNN computes the bias gradient of a transposed convolution with its reference
code, value by value, which takes longer than the rest of that layer's backward pass. It is a sum
over voxels; a matrix product with a row of ones gives the same sum.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call

from medseg.networks.cpu.layout import is_channels_last_on_cpu

__all__ = ["transposed_conv"]


@torch.jit.unused
def transposed_conv(layer: nn.Module, features: Tensor) -> Tensor:
    """Compute `layer(features)`, with the same gradients.

    Args:
        layer: A transposed convolution.
        features: `(B, C, *spatial)`.

    Returns:
        The layer's output, which must not be changed in place.
    """
    bias = cast("Tensor", layer.bias)
    learns = torch.is_grad_enabled() and bias.requires_grad
    if not learns or not is_channels_last_on_cpu(features):
        return layer(features)
    biased = functional_call(layer, {"bias": bias.detach()}, (features,))
    return _as_biased_by(biased.as_subclass(Tensor), bias)


class _AsBiasedBy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, biased: Tensor, bias: Tensor) -> Tensor:
        ctx.bias_type = bias.dtype
        return biased.view_as(biased)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride] - torch passes as many as forward returns
        voxels = gradient.movedim(1, -1).flatten(0, -2)
        total = voxels.new_ones(1, len(voxels)) @ voxels
        return gradient, total[0].to(ctx.bias_type)


_as_biased_by = cast("Any", _AsBiasedBy).apply
