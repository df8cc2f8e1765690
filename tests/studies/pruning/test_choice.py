"""Choice of channels: least important for their cost, or drawn."""

import pytest
import torch

from medseg.errors import UsageError
from medseg.networks import UNet
from medseg.studies.pruning.choice import channel_importance, least_important, random_channels
from medseg.studies.pruning.macs import unet_macs
from medseg.studies.pruning.removal import channel_counts, without_channels

WINDOW = (16, 16)


def network(**choices):
    return UNet(2, 1, 2, depth=2, first_width=4, **choices).eval()


def batch():
    return torch.rand(2, 1, *WINDOW, generator=torch.Generator().manual_seed(0))


def gradients(own):
    own.zero_grad()
    own(batch()).square().sum().backward()
    return [{name: value.grad for name, value in own.named_parameters()}]


@pytest.mark.parametrize("norm", ["none", "both"])
def test_importance_is_the_squared_derivative_by_a_gate_on_the_channel(norm):
    own = network(norm=norm)
    image = batch()
    gate = torch.ones(4, requires_grad=True)
    place = own.stem[0] if norm == "none" else own.stem[1]
    hook = place.register_forward_hook(lambda _, __, after: after * gate[:, None, None])
    own(image).square().sum().backward()
    hook.remove()
    found = channel_importance(own, gradients(own))["stem.0"]
    torch.testing.assert_close(found, gate.grad**2, rtol=1e-4, atol=1e-6)


def test_importance_of_a_transposed_convolution_is_by_its_outputs():
    own = network()
    with torch.no_grad():
        own.up[0].up.weight[:, 2] = 0
        own.up[0].up.bias[2] = 0
    importance = channel_importance(own, gradients(own))["up.0.up"]
    assert importance.shape == (4,)
    assert importance[2] == 0
    assert importance.sum() > 0


def test_what_stays_costs_no_more_than_asked_and_is_a_multiple_of_the_step():
    own = UNet(2, 1, 2, depth=3, first_width=8).eval()
    kept = least_important(
        own, channel_importance(own, gradients(own)), window=WINDOW, keep=0.3, step=4
    )
    smaller = without_channels(own, kept)
    assert unet_macs(smaller, WINDOW) <= 0.3 * unet_macs(own, WINDOW)
    counts = channel_counts(smaller)
    assert counts.pop("head") == 2
    assert all(count % 4 == 0 for count in counts.values())


def test_the_channel_that_does_nothing_goes_first():
    own = network()
    importance = {name: torch.ones(count) for name, count in channel_counts(own).items()}
    del importance["head"]
    importance["down.0.1.3"][5] = 0.0
    kept = least_important(own, importance, window=WINDOW, keep=0.99, step=1)
    assert kept["down.0.1.3"] == [0, 1, 2, 3, 4, 6, 7]


def test_a_share_that_no_network_has_left_is_refused():
    own = network()
    importance = {name: torch.ones(count) for name, count in channel_counts(own).items()}
    del importance["head"]
    with pytest.raises(UsageError, match=r"--smaller 0\.01: with 2 channels in every convolution"):
        least_important(own, importance, window=WINDOW, keep=0.01, step=2)


def test_random_channels_are_as_many_and_the_same_for_a_seed():
    kept, counts = {"a": [0, 1, 2], "b": [7]}, {"a": 16, "b": 8}
    drawn = random_channels(kept, counts, seed=1)
    assert {name: len(own) for name, own in drawn.items()} == {"a": 3, "b": 1}
    assert all(own == sorted(set(own)) for own in drawn.values())
    assert drawn == random_channels(kept, counts, seed=1)
    assert drawn != random_channels(kept, counts, seed=2)
