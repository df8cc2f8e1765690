"""Freezing parts of a network: its encoder, or the zeros of a pruned one.

With few images, a decoder alone has less to overfit with. Frozen parts run as in evaluation, so
that batch norm uses the statistics that it came with and dropout is off: the same features in
training and in use. A pruned network is trained by the weights that it has left.
"""

from collections.abc import Collection
from functools import partial
from typing import Any, Literal, cast

import torch
from torch import nn

from medseg.errors import UsageError

__all__ = ["Freeze", "freeze_parts"]

Freeze = Literal["none", "encoder", "zeros"]


def freeze_parts(network: nn.Module, which: Freeze, *, new: Collection[str] = ()) -> None:
    """Freeze parts of a network in place; before it is copied or distributed.

    Args:
        network: For `encoder`, one with a method `encoder_parts`, such as
            `medseg.networks.UNet`.
        which: `none`; `encoder`: all levels down to the bottleneck, which is included; `zeros`:
            weights of kernels that are zero.
        new: Names of layers of the encoder that are trained all the same, since they have learnt
            nothing yet, such as a first convolution for other channels.

    Raises:
        UsageError: If it does not say what its encoder is, or has no zeros.
    """
    if which == "encoder":
        _freeze_encoder(network, new)
    if which == "zeros":
        _freeze_zeros(network)


def _freeze_encoder(network: nn.Module, new: Collection[str]) -> None:
    encoder_parts = getattr(network, "encoder_parts", None)
    if encoder_parts is None:
        raise UsageError(
            f"freeze=encoder: {type(network).__name__} does not say what its encoder is; use "
            "freeze=none, or a network of medseg"
        )
    trained = {id(layer) for name, layer in _by_name(network).items() if name in new}
    for part in cast("list[nn.Module]", encoder_parts()):
        for layer in part.modules():
            if id(layer) not in trained:
                _freeze(layer)


def _by_name(network: nn.Module) -> dict[str, nn.Module]:
    return dict(cast("Any", network).named_modules())


def _freeze(layer: nn.Module) -> None:
    for parameter in layer.parameters(recurse=False):
        parameter.requires_grad = False
    # The trainer puts the whole network into training mode before each step.
    layer.register_forward_pre_hook(_in_evaluation)


def _freeze_zeros(network: nn.Module) -> None:
    # Norms and biases begin at zero without having been pruned.
    kernels = [kernel for kernel in network.parameters() if kernel.dim() > 1]
    pruned = [kernel for kernel in kernels if bool((kernel == 0).any())]
    if not pruned:
        raise UsageError(
            "freeze=zeros: no weight is zero; give init_weights of a pruned network, or freeze=none"
        )
    for kernel in pruned:
        # Without a gradient, no optimiser's step, momentum or decay moves a zero.
        cast("Any", kernel).register_hook(partial(torch.mul, kernel.detach() != 0))


def _in_evaluation(layer: nn.Module, _: object) -> None:
    layer.training = False
