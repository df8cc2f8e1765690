"""Widths of a U-Net: one number a level, or one for each convolution."""

import pytest
import torch

from medseg.errors import UsageError
from medseg.networks import UNet
from medseg.networks.channels import LevelChannels, level_channels


def shapes(network):
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def test_a_width_a_level_is_the_network_that_grows_to_it():
    grown = UNet(2, 1, 2, depth=3, first_width=4, growth=2.0)
    assert shapes(UNet(2, 1, 2, depth=3, widths=[4, 8, 16])) == shapes(grown)


def test_each_convolution_of_a_level_has_its_own_number():
    assert level_channels([[3, 4, 5, 6, 7], [8, 9]], depth=2) == (
        LevelChannels(encoder=(3, 4), up=5, decoder=(6, 7)),
        LevelChannels(encoder=(8, 9)),
    )
    network = UNet(2, 1, 2, depth=2, widths=[[3, 4, 5, 6, 7], [8, 9]])
    of = {name: shape[:2] for name, shape in shapes(network).items() if len(shape) == 4}
    assert of == {
        "stem.0.weight": (3, 1),
        "stem.3.weight": (4, 3),
        "down.0.1.0.weight": (8, 4),
        "down.0.1.3.weight": (9, 8),
        # A transposed convolution's weights hold inputs first.
        "up.0.up.weight": (9, 5),
        # The skip's four channels and the five that come up.
        "up.0.block.0.weight": (6, 4 + 5),
        "up.0.block.3.weight": (7, 6),
        "head.weight": (2, 7),
    }
    assert network(torch.rand(1, 1, 8, 8)).shape == (1, 2, 8, 8)


def test_widths_are_in_the_description_by_which_a_network_is_built_again():
    network = UNet(3, 1, 2, depth=2, widths=[[1, 2, 3, 4, 5], 6])
    described = {name: v for name, v in network.describe().items() if name != "_target_"}
    assert shapes(UNet(**described)) == shapes(network)


@pytest.mark.parametrize(
    ("widths", "told"),
    [
        ([4], "must have 2 entries at this depth, got 1"),
        ("ab", "must have 2 entries at this depth, got 2"),
        (7, "must have 2 entries at this depth, got 7"),
        ([[1, 2], 3], "of level 0 must be one number, or 5, got 2"),
        ([4, [1]], "of level 1 must be one number, or 2, got 1"),
        ([4, 0], "a width of level 1 must be a whole number from 1, got 0"),
        ([4, 2.5], "a width of level 1 must be a whole number from 1, got 2.5"),
    ],
)
def test_other_widths_are_refused(widths, told):
    if widths == "ab":
        told = "must have 2 entries"
    with pytest.raises(UsageError, match=told):
        UNet(2, 1, 2, depth=2, widths=widths)
