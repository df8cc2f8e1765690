"""Residual blocks and deep supervision: keys of the U-Net that change nothing unless set."""

import pytest
import torch
from torch import nn

from medseg.errors import UsageError
from medseg.inference import AutocastInferer
from medseg.networks import UNet, load_weights, save_weights, trained_network
from medseg.networks.blocks import BlockStyle, ResidualBlock
from medseg.studies.pruning.wiring import require_unet

TINY = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "depth": 4, "first_width": 2}
STYLE = BlockStyle(activation="relu", norm="none", norm_kind="instance", convolution="padded")


def unet(**choices):
    torch.manual_seed(0)
    return UNet(**{**TINY, **choices})


def test_by_default_neither_is_there_nor_said():
    network = unet()
    assert not {name for name in network.state_dict() if "shortcut" in name or "coarse" in name}
    assert not {"residual", "deep_supervision"} & network.describe().keys()
    assert isinstance(network(torch.rand(1, 1, 16, 16)), torch.Tensor)


@pytest.mark.parametrize("choices", [{"residual": "none"}, {"deep_supervision": 0}])
def test_the_defaults_are_the_network_of_before(choices):
    with_it, without = unet(**choices), unet()
    image = torch.rand(1, 1, 16, 16)
    assert torch.equal(with_it(image), without(image))


def test_a_block_whose_convolutions_are_zero_passes_its_input_on():
    block = ResidualBlock((2, 2), (3, 3), 0.0, STYLE)
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    features = torch.rand(1, 2, 5, 5)
    assert torch.equal(block(features), features)


def test_a_shortcut_by_hand():
    # Identity kernels: relu(x) twice, then x * 3 by the 1-voxel convolution: 2 + 6 and 0 - 3.
    block = ResidualBlock((1, 1, 2), (1,) * 2, 0.0, STYLE)
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    nn.init.ones_(block.layers[0].weight)
    nn.init.ones_(block.layers[2].weight)
    nn.init.constant_(block.shortcut[0].weight, 3.0)
    given = block(torch.tensor([[[[2.0, -1.0]]]]))
    assert given.tolist() == [[[[8.0, 0.0]], [[8.0, 0.0]]]]


@pytest.mark.parametrize(
    ("residual", "shortcuts"),
    # Blocks of 4 levels on the way down, and of 3 on the way up; all change their channels.
    [("none", 0), ("encoder", 4), ("all", 7)],
)
def test_each_part_has_as_many_shortcuts_as_blocks(residual, shortcuts):
    blocks = [m for m in unet(residual=residual).modules() if isinstance(m, ResidualBlock)]
    assert len(blocks) == shortcuts


def test_valid_convolutions_crop_the_shortcut():
    network = unet(residual="all", convolution="valid", depth=2, norm="one")
    assert network(torch.rand(1, 1, 20, 20)).shape == (1, 3, 4, 4)


def test_in_training_each_level_gives_logits_and_else_the_finest_alone():
    network = unet(deep_supervision=2)
    image = torch.rand(2, 1, 16, 24)
    sizes = [tuple(logits.shape) for logits in network(image)]
    assert sizes == [(2, 3, 16, 24), (2, 3, 8, 12), (2, 3, 4, 6)]
    network.eval()
    assert torch.equal(network(image), network.train()(image)[0])


@pytest.mark.parametrize("choices", [{"residual": "all"}, {"deep_supervision": 2}])
def test_every_parameter_receives_a_gradient(choices):
    network = unet(**choices)
    given = network(torch.rand(2, 1, 16, 16))
    sum((level**2).sum() for level in (given if isinstance(given, list) else [given])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.filterwarnings("ignore:.*jit.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("residual", ["none", "encoder", "all"])
def test_script_and_trace_give_the_logits(residual):
    network = unet(residual=residual, deep_supervision=1).eval()
    image = torch.rand(1, 1, 16, 16)
    for left in (torch.jit.script(network), torch.jit.trace(network, image)):
        torch.testing.assert_close(left(image), network(image))


def test_weights_say_what_they_are_of_and_are_loaded_so(tmp_path):
    network = unet(residual="encoder", deep_supervision=1).eval()
    path = tmp_path / "model.safetensors"
    save_weights(network, path, {"network": network.describe()})
    found = trained_network(path, unet().describe()).eval()
    load_weights(found, path)
    image = torch.rand(1, 1, 16, 16)
    assert torch.equal(found(image), network(image))


def test_under_autocast_each_level_is_float32():
    inferer = AutocastInferer(lambda image, network: network(image), precision="bf16")
    levels = inferer(torch.rand(1, 1, 16, 16), unet(deep_supervision=1))
    assert [level.dtype for level in levels] == [torch.float32] * 2


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"residual": "decoder"}, "residual must be one of none, encoder, all, got 'decoder'"),
        ({"deep_supervision": 3}, "deep_supervision must be at most depth - 2, which is 2, got 3"),
        ({"deep_supervision": -1}, "deep_supervision must be a whole number from 0, got -1"),
        (
            {"deep_supervision": 1, "convolution": "valid"},
            "deep_supervision needs padded convolutions, got convolution 'valid'",
        ),
    ],
)
def test_a_wrong_argument_is_refused_by_name(choices, message):
    with pytest.raises(UsageError, match=message):
        unet(**choices)


def test_a_network_whose_channels_are_added_is_not_pruned():
    with pytest.raises(UsageError, match="b: its network has residual=all"):
        require_unet(unet(residual="all"), "b")
