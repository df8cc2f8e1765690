"""MACs by hand, for each kind of layer, and the law of their sum."""

import pytest
import torch
from torch import nn

from medseg.errors import UsageError
from medseg.networks import UNet
from medseg.networks.macs import macs, parameters


def test_a_convolution_by_hand():
    # 10 x 12 outputs of 5 channels, each from 3 x 3 voxels of 2 channels
    layer = nn.Conv2d(2, 5, 3, padding=1)
    assert macs(layer, (2, 10, 12)) == 10 * 12 * 5 * 9 * 2
    assert parameters(layer) == 5 * 9 * 2 + 5


def test_a_stride_leaves_outputs_out():
    assert macs(nn.Conv3d(1, 4, 2, stride=2), (1, 4, 4, 8)) == 2 * 2 * 4 * 4 * 8


def test_groups_see_their_own_channels_only():
    assert macs(nn.Conv2d(4, 4, 3, padding=1, groups=4), (4, 5, 5)) == 25 * 4 * 9


def test_a_transposed_convolution_by_hand():
    # each of the 3 x 3 voxels of 4 channels goes to 2 x 2 voxels of 6 channels
    assert macs(nn.ConvTranspose2d(4, 6, 2, stride=2), (4, 3, 3)) == 9 * 4 * 4 * 6


def test_norms_activations_and_pooling_count_nothing():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2))
    assert macs(network, (3, 8, 8)) == 0
    assert parameters(network) == 6


def unet_macs_by_hand(width, size):
    """Two levels: stem, bottleneck, transposed convolution, block, head; all padded 3 x 3."""
    full, half = size * size, size * size // 4
    stem = full * 9 * (1 * width + width * width)
    bottleneck = half * 9 * (width * 2 * width + 2 * width * 2 * width)
    up = half * 4 * 2 * width * width
    block = full * 9 * (2 * width * width + width * width)
    return stem + bottleneck + up + block + full * width * 2


@pytest.mark.parametrize("width", [2, 5])
def test_a_unet_of_two_levels_by_hand(width):
    network = UNet(2, 1, 2, depth=2, first_width=width)
    assert macs(network, (1, 8, 8)) == unet_macs_by_hand(width, 8)


def test_the_network_is_as_it_was():
    network = UNet(2, 1, 2, depth=2, first_width=2, norm_kind="batch").train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    macs(network, (1, 8, 8))
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_misfit_is_refused():
    with pytest.raises(UsageError, match="multiple of"):
        macs(UNet(2, 1, 2, depth=3, first_width=2), (1, 10, 8))
    with pytest.raises(UsageError, match="image_shape"):
        macs(UNet(2, 1, 2, depth=3, first_width=2), (1, 8))
