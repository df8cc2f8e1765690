"""Freezing the encoder: its weights and its norms' statistics stay, the decoder is trained.

With few images, a decoder alone has less to overfit with. Frozen parts run as in evaluation, so
that batch norm uses the statistics that it came with and dropout is off: the same features in
training and in use.
"""

from typing import Literal, cast

from torch import nn

from medseg.errors import UsageError

__all__ = ["Freeze", "freeze_parts"]

Freeze = Literal["none", "encoder"]


def freeze_parts(network: nn.Module, which: Freeze) -> None:
    """Freeze parts of a network in place; before it is copied or distributed.

    Args:
        network: If it is to be frozen, one with a method `encoder_parts`, such as
            `medseg.networks.UNet`.
        which: `none`, or `encoder`: all levels down to the bottleneck, which is included.

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
    for part in cast("list[nn.Module]", encoder_parts()):
        part.requires_grad_(requires_grad=False)
        for layer in part.modules():
            # The trainer puts the whole network into training mode before each step.
            layer.register_forward_pre_hook(_in_evaluation)


def _in_evaluation(layer: nn.Module, _: object) -> None:
    layer.training = False
