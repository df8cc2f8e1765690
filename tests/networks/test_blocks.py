"""What the blocks promise: the order of their layers, the groups, the crop."""

import pytest
import torch
from torch import nn

from medseg.networks.blocks import BlockStyle, ConvBlock, DownBlock, UpBlock


def style(**choices) -> BlockStyle:
    plain = {"activation": "relu", "norm": "both", "norm_kind": "instance"}
    return BlockStyle(**plain | {"convolution": "padded"} | choices)


def kinds(block: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in block.children()]


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("none", ["Conv2d", "ReLU", "Conv2d", "ReLU"]),
        ("one", ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "ReLU"]),
        ("both", ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU"]),
    ],
)
def test_a_block_is_convolution_norm_activation_twice(norm, expected):
    look = style(norm=norm, norm_kind="batch")
    assert kinds(ConvBlock((1, 2), (3, 3), 0.0, look)) == expected
    assert kinds(ConvBlock((1, 2), (3, 3), 0.5, look)) == [*expected, "Dropout"]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("activation", "plain"), [("relu", nn.ReLU), ("elu", nn.ELU)], ids=["relu", "elu"]
)
def test_a_block_with_instance_norm_is_torchs_layers_with_the_same_weights(
    activation, plain, layout
):
    torch.manual_seed(0)
    block = ConvBlock((2, 4), (3, 3), 0.0, style(activation=activation))
    torchs = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.InstanceNorm2d(4, affine=True), plain()),
        *(nn.Conv2d(4, 4, 3, padding=1), nn.InstanceNorm2d(4, affine=True), plain()),
    )
    torchs.load_state_dict(block.state_dict())
    image = torch.randn(2, 2, 6, 5).contiguous(memory_format=layout)
    for one in (block, torchs):
        one(image).square().sum().backward()
    torch.testing.assert_close(block(image), torchs(image), check_stride=False)
    for mine, others in zip(block.parameters(), torchs.parameters(), strict=True):
        # A norm takes away what a bias before it adds: its gradient is what rounding leaves.
        torch.testing.assert_close(mine.grad, others.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("width", "groups"), [(32, 8), (24, 8), (12, 4), (20, 4), (6, 2), (7, 1), (1, 1)]
)
def test_group_norm_has_the_largest_power_of_two_up_to_eight(width, groups):
    block = ConvBlock((1, width), (3, 3, 3), 0.0, style(norm_kind="group"))
    assert [m.num_groups for m in block.modules() if isinstance(m, nn.GroupNorm)] == [groups] * 2


@pytest.mark.parametrize("kind", ["batch", "instance", "group"])
def test_each_norm_learns_scale_and_shift(kind):
    block = ConvBlock((1, 4), (3, 3), 0.0, style(norm_kind=kind))
    norm = list(block.children())[1]
    assert norm.weight.tolist() == [1, 1, 1, 1]
    assert norm.bias.tolist() == [0, 0, 0, 0]


def test_instance_norm_forgets_the_contrast_and_one_norm_lets_it_through():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 8, 8)
    block = ConvBlock((1, 2), (3, 3), 0.0, style(norm="both"))
    torch.testing.assert_close(block(image), block(5 * image), rtol=1e-3, atol=1e-3)


def test_a_step_down_takes_the_maximum_of_each_window():
    down = DownBlock((1, 2), ConvBlock((1, 1), (1, 1), 0.0, style(norm="none")))
    for layer in down.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
    image = torch.tensor([[[[1.0, 5, 2, 3], [4, 0, 7, 8]]]])
    assert down(image).tolist() == [[[[5, 3], [4, 8]]]]


def test_a_step_up_crops_the_skip_to_its_centre_and_puts_it_first():
    up = UpBlock((1, 1), (2, 2), nn.Identity(), style(convolution="valid"))
    nn.init.ones_(up.up.weight)
    nn.init.zeros_(up.up.bias)
    skip = torch.arange(36.0).view(1, 1, 6, 6)
    joined = up(torch.full((1, 1, 1, 1), 9.0), skip)
    # 1 voxel becomes 2; of 6 the middle 2 remain: rows and columns 2 and 3
    assert joined.tolist() == [[[[14, 15], [20, 21]], [[9, 9], [9, 9]]]]
