"""What SegNet promises: the published layout, indices instead of skips, sizes that fit."""

import pytest
import torch
from torch import nn

from medseg.errors import UsageError
from medseg.networks import SegNet
from medseg.networks.macs import macs


def small(**choices):
    return SegNet(2, 1, 3, **{"convolutions": [1, 2], "first_width": 4, **choices})


def convolutions(network):
    return [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Conv3d)]


def test_as_published_it_has_vggs_thirteen_convolutions_twice():
    network = SegNet(2, 3, 12)
    widths = [layer.out_channels for layer in convolutions(network.encoder)]
    assert widths == [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    assert len(convolutions(network)) == 26
    # The paper's figure: each level of the decoder ends in the width of the level above.
    up = [layer.out_channels for layer in convolutions(network)[13:]]
    assert up == [512, 512, 512, 512, 512, 256, 256, 256, 128, 128, 64, 64, 12]


@pytest.mark.parametrize(("axes", "size"), [(2, (8, 12)), (3, (4, 8, 4))])
@pytest.mark.parametrize("kind", ["batch", "instance", "group"])
def test_the_logits_have_the_images_size_and_every_weight_a_gradient(axes, size, kind):
    network = SegNet(axes, 2, 3, convolutions=[1, 2], first_width=4, norm_kind=kind)
    logits = network(torch.randn(2, 2, *size))
    assert logits.shape == (2, 3, *size)
    logits.square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_the_decoder_knows_where_each_maximum_was():
    # One convolution a level, all identities: what comes out is each maximum in its place.
    network = SegNet(2, 1, 1, convolutions=[1, 1], first_width=1, growth=1, norm="none")
    for layer in convolutions(network):
        nn.init.zeros_(layer.weight)
        layer.weight.data[0, 0, 1, 1] = 1
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 2, 1], image[0, 0, 0, 0] = 5, 3
    expected = torch.zeros(1, 1, 4, 4)
    expected[0, 0, 2, 1] = 5  # of the four maxima, the second pooling keeps the largest
    assert torch.equal(network(image), expected)


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(UsageError, match=r"multiple of 4, got \(8, 6\)"):
        small()(torch.zeros(1, 1, 8, 6))
    with pytest.raises(UsageError, match=r"\(B, 1, \*spatial\) with 2 spatial axes"):
        small()(torch.zeros(1, 2, 8, 8))
    assert small().output_size((8, 12)) == (8, 12)


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"convolutions": [2]}, "2 to 16 levels"),
        ({"convolutions": [2, 0]}, "convolutions"),
        ({"convolutions": [2, 99]}, "at most 16 a level"),
        ({"norm": "one"}, "norm must be"),
        ({"max_width": 2}, "SegNet: max_width"),
    ],
)
def test_a_wrong_argument_is_named(choices, complaint):
    with pytest.raises(UsageError, match=complaint):
        small(**choices)


def test_its_description_builds_it_again():
    described = small(norm_kind="group").describe()
    assert described.pop("_target_") == "medseg.networks.SegNet"
    again = SegNet(**described)
    assert {n: v.shape for n, v in again.state_dict().items()} == {
        n: v.shape for n, v in small(norm_kind="group").state_dict().items()
    }


def test_it_costs_its_convolutions():
    # 8 x 8: 1 to 4 and, in the decoder, 4 to 3 channels; 4 x 4: 4 to 8, 8 to 8, 8 to 8, 8 to 4
    by_hand = 9 * (64 * (1 * 4 + 4 * 3) + 16 * (4 * 8 + 8 * 8 + 8 * 8 + 8 * 4))
    assert macs(small(), (1, 8, 8)) == by_hand
