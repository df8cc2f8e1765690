"""What the initial weights promise: spread by the fans, biases at zero."""

import math

import pytest
import torch
from torch import nn

from medseg.networks import UNet
from medseg.networks.initialise import fans

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def large_convolutions(network):
    found = [m for m in network.modules() if isinstance(m, CONVOLUTIONS)]
    return [m for m in found if m.weight.numel() >= 2000]


def test_fans_by_hand():
    # 3x3 kernel, 4 -> 8 channels: 4*9 voxels feed one, one feeds 8*9
    assert fans(nn.Conv2d(4, 8, 3)) == (36, 72)
    # kernel = stride: each output voxel has one input voxel of 8 channels, each input
    # voxel has 2*2*2 output voxels of 4 channels
    assert fans(nn.ConvTranspose3d(8, 4, 2, stride=2)) == (8, 32)
    assert fans(nn.Conv3d(4, 8, (1, 3, 3))) == (36, 72)


def test_fans_of_a_transposed_convolution_are_what_a_one_counts():
    up = nn.ConvTranspose2d(5, 3, (2, 3), stride=(2, 3), bias=False)
    nn.init.ones_(up.weight)
    fan_in, fan_out = fans(up)
    assert up(torch.ones(1, 5, 4, 4)).unique().item() == fan_in
    single = torch.zeros(1, 5, 4, 4)
    single[0, 0, 1, 1] = 1
    assert up(single).sum().item() == fan_out


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_he_has_standard_deviation_root_two_over_fan_in(spatial_dims):
    torch.manual_seed(0)
    large = large_convolutions(UNet(spatial_dims, 1, 2, depth=3, first_width=16))
    assert any(isinstance(m, (nn.ConvTranspose2d, nn.ConvTranspose3d)) for m in large)
    for module in large:
        # n >= 2000 draws: the relative error of the spread is 1 / sqrt(2 n) < 1.6 %
        expected = math.sqrt(2 / fans(module)[0])
        assert module.weight.std().item() == pytest.approx(expected, rel=0.06)
        assert module.weight.mean().item() == pytest.approx(0, abs=0.1 * expected)


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_glorot_is_uniform_within_root_six_over_both_fans(spatial_dims):
    torch.manual_seed(0)
    network = UNet(spatial_dims, 1, 2, depth=3, first_width=16, initialisation="glorot")
    for module in large_convolutions(network):
        bound = math.sqrt(6 / sum(fans(module)))
        assert 0.98 * bound < module.weight.abs().max().item() <= bound
        assert module.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.06)


@pytest.mark.parametrize("initialisation", ["he", "glorot"])
def test_biases_start_at_zero(initialisation):
    network = UNet(2, 1, 2, depth=2, first_width=4, norm="both", initialisation=initialisation)
    biases = [p for name, p in network.named_parameters() if name.endswith("bias")]
    assert biases
    assert all(not bias.any() for bias in biases)


def test_the_same_seed_gives_the_same_network():
    torch.manual_seed(7)
    first = UNet(2, 1, 2, depth=2, first_width=4).state_dict()
    torch.manual_seed(7)
    second = UNet(2, 1, 2, depth=2, first_width=4).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_torch_leaves_each_convolution_as_torch_makes_it():
    torch.manual_seed(7)
    network = UNet(2, 1, 2, depth=2, first_width=4, norm="none", initialisation="torch")
    torch.manual_seed(7)
    assert torch.equal(network.stem[0].weight, nn.Conv2d(1, 4, 3, padding=1).weight)
    assert network.stem[0].bias.any()
