"""MONAI's networks for comparison: the same as MONAI's, described, and refused in one line."""

import pytest
import torch
from monai.networks.nets import AttentionUnet, SegResNet

from medseg.errors import UsageError
from medseg.networks import MonaiNetwork

GATED = {"channels": [4, 8, 16], "strides": [2, 2]}
RESIDUAL = {"init_filters": 8, "blocks_down": [1, 1, 1], "blocks_up": [1, 1]}


def gated(**choices):
    return MonaiNetwork("AttentionUnet", 2, 1, 2, arguments={**GATED, **choices})


def residual(**choices):
    return MonaiNetwork("SegResNet", 3, 1, 2, arguments={**RESIDUAL, **choices})


@pytest.mark.parametrize(
    ("ours", "theirs", "size"),
    [
        (gated, lambda: AttentionUnet(2, 1, 2, **GATED), (8, 12)),
        (residual, lambda: SegResNet(3, in_channels=1, out_channels=2, **RESIDUAL), (4, 8, 4)),
    ],
)
def test_with_the_same_weights_it_gives_what_monais_gives(ours, theirs, size):
    one, other = ours().eval(), theirs().eval()
    one.network.load_state_dict(other.state_dict())
    image = torch.randn(1, 1, *size)
    assert torch.equal(one(image), other(image))
    assert one(image).shape == (1, 2, *size)


@pytest.mark.parametrize("network", [gated, residual])
def test_its_description_builds_it_again(network):
    described = network().describe()
    assert described.pop("_target_") == "medseg.networks.MonaiNetwork"
    again = MonaiNetwork(**described)
    assert again.describe() == network().describe()
    assert again.state_dict().keys() == network().state_dict().keys()


def test_a_size_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match=r"AttentionUnet: .* 2 multiples of 4, got \(8, 6\)"):
        gated()(torch.zeros(1, 1, 8, 6))
    with pytest.raises(UsageError, match=r"SegResNet: .* 3 multiples of 4"):
        residual().output_size((8, 8))


@pytest.mark.parametrize(
    ("network", "choices", "complaint"),
    [
        (gated, {"chanels": [4, 8]}, "no argument 'chanels'; it has channels"),
        (gated, {"strides": [2]}, "strides must be one fewer than channels"),
        (gated, {"channels": 4}, "channels must be a list"),
        (gated, {"strides": [2, 10**6]}, "strides must be numbers up to 16"),
        (residual, {"blocks_down": [1, 1, 10**9]}, "blocks_down must be numbers up to 16"),
        (residual, {"init_filters": 3}, "SegResNet cannot be built"),
        (residual, {"upsample_mode": "best"}, "SegResNet cannot be built"),
    ],
)
def test_a_wrong_argument_is_one_line(network, choices, complaint):
    with pytest.raises(UsageError, match=complaint) as caught:
        network(**choices)
    assert "\n" not in str(caught.value)


def test_another_of_monais_networks_is_no_choice():
    with pytest.raises(UsageError, match="name must be"):
        MonaiNetwork("SwinUNETR", 2, 1, 2)  # pyright: ignore[reportArgumentType] - the point
