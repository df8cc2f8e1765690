"""Removal of channels: a smaller U-Net that computes what is left of a larger one."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from medseg.networks.unet import UNet
from medseg.studies.pruning.wiring import WiredConv, wiring

__all__ = ["channel_counts", "level_widths", "without_channels"]

Kept = Mapping[str, Sequence[int]]


def channel_counts(network: UNet) -> dict[str, int]:
    """Channels that each convolution gives, by its name."""
    return {
        one.name: network.get_submodule(one.name).get_parameter("weight").shape[one.transposed]
        for one in wiring(network)
    }


def without_channels(network: UNet, kept: Kept) -> UNet:
    """A smaller network with some of a network's channels, and their weights.

    If the channels left out are zero everywhere, it computes the same; but for group norms, whose
    groups are others then.

    Args:
        network: Is not changed.
        kept: Indices of the channels that stay, rising, by convolution; of others all stay.

    Returns:
        An ordinary `UNet`, in evaluation mode, on the CPU.
    """
    counts = channel_counts(network)
    stays = {name: list(kept.get(name, range(count))) for name, count in counts.items()}
    convolutions = wiring(network)
    arguments = {**network.describe()}
    del arguments["_target_"]
    arguments["widths"] = level_widths(convolutions, {n: len(k) for n, k in stays.items()})
    smaller = UNet(**arguments)
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    for one in convolutions:
        _take(state, one, stays, counts)
    smaller.load_state_dict(state)
    return smaller.eval()


def level_widths(
    convolutions: Sequence[WiredConv], counts: Mapping[str, int]
) -> list[int | list[int]]:
    """The argument `widths` of a network with these channels: one number where a level has one."""
    deepest = max(one.level for one in convolutions)
    levels: list[list[int]] = [[] for _ in range(deepest + 1)]
    for one in convolutions:
        if one.part != "head":
            levels[one.level].append(counts[one.name])
    return [level[0] if len(set(level)) == 1 else level for level in levels]


def _take(
    state: dict[str, Tensor],
    one: WiredConv,
    stays: Mapping[str, Sequence[int]],
    counts: Mapping[str, int],
) -> None:
    """Keep the rows and columns of one convolution's weights, and its norm's numbers."""
    own = torch.tensor(stays[one.name])
    weight = state[f"{one.name}.weight"].index_select(int(one.transposed), own)
    inputs: list[int] = []
    offset = 0
    for source in one.sources:
        inputs += [offset + channel for channel in stays[source]]
        offset += counts[source]
    if inputs:
        weight = weight.index_select(int(not one.transposed), torch.tensor(inputs))
    state[f"{one.name}.weight"] = weight
    state[f"{one.name}.bias"] = state[f"{one.name}.bias"][own]
    for name in [name for name in state if one.norm and name.startswith(f"{one.norm}.")]:
        if state[name].dim() == 1:
            state[name] = state[name][own]
