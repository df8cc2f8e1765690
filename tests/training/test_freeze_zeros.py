"""Freezing the zeros of a pruned network: no step of an optimiser moves them."""

import pytest
import torch
from torch import nn

from medseg.errors import UsageError
from medseg.networks import UNet
from medseg.training.freeze import freeze_parts


def _half_pruned() -> UNet:
    torch.manual_seed(0)
    network = UNet(2, 1, 2, first_width=2, depth=2)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.data[torch.rand_like(parameter) < 0.5] = 0
    return network


@pytest.mark.parametrize(
    ("optimizer", "arguments"),
    [
        (torch.optim.Adam, {"fused": True}),
        (torch.optim.AdamW, {"weight_decay": 0.1}),
        (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
        (torch.optim.Adadelta, {}),
    ],
)
def test_zeros_of_kernels_stay_and_all_else_is_trained(optimizer, arguments):
    network = _half_pruned()
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    freeze_parts(network, "zeros")
    steps = optimizer(network.parameters(), lr=0.1, **arguments)
    for seed in range(3):
        torch.manual_seed(seed)
        steps.zero_grad()
        network(torch.rand(2, 1, 8, 8)).square().mean().backward()
        steps.step()
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            pruned = before[name] == 0
            assert not parameter[pruned].any()
            assert (parameter != before[name])[~pruned].any()
    assert network.head.bias.abs().max() > 0  # zero at the start, and not pruned


def test_a_network_without_a_zero_is_refused():
    with pytest.raises(UsageError, match="no weight is zero; give init_weights of a pruned"):
        freeze_parts(nn.Conv2d(1, 1, 3), "zeros")
