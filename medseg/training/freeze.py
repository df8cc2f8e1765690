"""Freezing the encoder: its weights and its norms' statistics stay, the decoder is trained.

With few images, a decoder alone has less to overfit with. Frozen parts run as in evaluation, so
that batch norm uses the statistics that it came with and dropout is off: the same features in
training and in use.
"""

from collections.abc import Collection
from typing import Any, Literal, cast

from torch import nn

from medseg.errors import UsageError

__all__ = ["Freeze", "freeze_parts"]

Freeze = Literal["none", "encoder"]


def freeze_parts(network: nn.Module, which: Freeze, *, new: Collection[str] = ()) -> None:
    """Freeze parts of a network in place; before it is copied or distributed.

    Args:
        network: If it is to be frozen, one with a method `encoder_parts`, such as
            `medseg.networks.UNet`.
        which: `none`, or `encoder`: all levels down to the bottleneck, which is included.
        new: Names of layers that are trained all the same, since they have learnt nothing yet,
            such as a first convolution for other channels.

    Raises:
        UsageError: If it does not say what its encoder is.
    """
    if which == "none":
        return
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


def _in_evaluation(layer: nn.Module, _: object) -> None:
    layer.training = False
