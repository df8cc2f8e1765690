"""Choice of the channels to remove: those that matter least for what they cost.

Importance of a channel is the change of the loss that a first-order expansion expects if the
channel were multiplied by zero: the derivative by a gate on the channel, squared, and averaged over
batches. Greedily, the channels go whose importance per saved multiplication is smallest.

Reference:
    Molchanov et al., Importance estimation for neural network pruning, CVPR 2019, eq. 8.
    https://arxiv.org/abs/1906.10771
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from medseg.errors import UsageError
from medseg.networks.unet import UNet
from medseg.studies.pruning.macs import cost_factors, total_macs
from medseg.studies.pruning.removal import channel_counts
from medseg.studies.pruning.wiring import WiredConv, wiring

__all__ = ["Gradients", "channel_importance", "least_important", "random_channels"]

# Gradient of the loss by each parameter, one mapping for each batch.
Gradients = Sequence[Mapping[str, Tensor]]
Importance = Mapping[str, Tensor]


def channel_importance(network: UNet, gradients: Gradients) -> dict[str, Tensor]:
    """Importance of every channel, by convolution; not of the head, whose channels are classes.

    A gate behind a norm acts on its scale and shift, as the norm undoes what is before it.

    Args:
        network: The trained network.
        gradients: One mapping a batch, by name of the parameter.

    Returns:
        `(channels,)` for each convolution; at least 0, in squared units of the loss.
    """
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    found: dict[str, Tensor] = {}
    for one in wiring(network):
        if one.part == "head":
            continue
        squares = [_gate(one, parameters, batch) ** 2 for batch in gradients]
        found[one.name] = torch.stack(squares).mean(dim=0)
    return found


def least_important(
    network: UNet, importance: Importance, *, window: Sequence[int], keep: float, step: int
) -> dict[str, list[int]]:
    """Channels that stay, by convolution, when a share of the multiplications is to be kept.

    Args:
        network: The trained network.
        importance: Of `channel_importance`.
        window: Voxels along each axis.
        keep: Share of the multiplications, in (0, 1).
        step: Channels that are removed at a time from one convolution, and the least it keeps.

    Raises:
        UsageError: If no network of that few multiplications is left.
    """
    convolutions, counts = wiring(network), channel_counts(network)
    factors = cost_factors(network, window)
    full = total_macs(convolutions, counts, factors, network.in_channels)
    order = {name: torch.argsort(values).tolist() for name, values in importance.items()}
    now, left = dict(counts), full
    while left > keep * full:
        options = {name: {**now, name: now[name] - step} for name in order if now[name] >= 2 * step}
        if not options:
            raise UsageError(
                f"--smaller {keep:g}: with {step} channels in every convolution, {left / full:.3f} "
                f"of the multiplications are left; give at least that, or a smaller --step"
            )
        costs = {
            name: total_macs(convolutions, option, factors, network.in_channels)
            for name, option in options.items()
        }
        name = min(
            options,
            key=lambda name: (
                _loss(importance[name], order[name], counts, now, name, step) / (left - costs[name])
            ),
        )
        now, left = options[name], costs[name]
    return {name: sorted(order[name][counts[name] - now[name] :]) for name in order}


def random_channels(
    kept: Mapping[str, Sequence[int]], counts: Mapping[str, int], *, seed: int
) -> dict[str, list[int]]:
    """As many channels of each convolution, drawn at random: the control of a choice."""
    random = np.random.default_rng(seed)
    return {
        name: sorted(random.choice(counts[name], size=len(own), replace=False).tolist())
        for name, own in kept.items()
    }


def _gate(
    one: WiredConv, parameters: Mapping[str, Tensor], gradients: Mapping[str, Tensor]
) -> Tensor:
    place = one.norm or one.name
    products = [
        parameters[f"{place}.{kind}"] * gradients[f"{place}.{kind}"] for kind in ("weight", "bias")
    ]
    weight = products[0].movedim(1, 0) if one.transposed else products[0]
    return weight.flatten(1).sum(dim=1) + products[1] if weight.dim() > 1 else sum(products)  # pyright: ignore[reportReturnType] - two tensors


def _loss(
    importance: Tensor,
    order: Sequence[int],
    counts: Mapping[str, int],
    now: Mapping[str, int],
    name: str,
    step: int,
) -> float:
    """Importance of the next `step` channels."""
    gone = counts[name] - now[name]
    return float(importance[list(order[gone : gone + step])].sum())
