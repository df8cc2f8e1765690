"""Where a network is placed, and in which memory format."""

import pytest
import torch
from torch import nn

from medseg.errors import UsageError
from medseg.networks import UNet, default_device, place_network

CPU = torch.device("cpu")
GPU = torch.device("cuda:0")
CONTIGUOUS = torch.contiguous_format
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def unet(axes, kind="instance"):
    # Two channels and a kernel of three: no two formats are the same.
    return UNet(axes, 2, 2, depth=2, first_width=4, norm_kind=kind)


def is_in(network, layout):
    weight = network.stem[0].weight
    others = {CONTIGUOUS, LAST[weight.dim() - 2]} - {layout}
    return weight.is_contiguous(memory_format=layout) and not any(
        weight.is_contiguous(memory_format=other) for other in others
    )


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("kind", ["instance", "batch", "group"])
def test_on_a_cpu_features_are_channels_last_but_for_group_norm(axes, kind):
    placed = place_network(unet(axes, kind), CPU)
    assert is_in(placed, CONTIGUOUS if kind == "group" else LAST[axes])


def test_a_norm_of_torch_that_would_copy_everything_keeps_a_network_contiguous():
    network = nn.Sequential(nn.Conv3d(2, 2, 3), nn.InstanceNorm3d(2))
    assert place_network(network, "cpu")[0].weight.is_contiguous()


@pytest.mark.parametrize(
    ("word", "axes", "layout"),
    [
        ("contiguous", 3, CONTIGUOUS),
        ("contiguous_format", 2, CONTIGUOUS),
        ("channels_last", 2, LAST[2]),
        ("channels_last", 3, LAST[3]),
        ("channels_last_3d", 3, LAST[3]),
    ],
)
def test_a_format_is_taken_by_its_word_and_by_torchs_own(word, axes, layout):
    network = unet(axes, "group" if layout in LAST.values() else "instance")
    placed = place_network(network, CPU, word)
    assert placed is network
    assert is_in(placed, layout)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("sideways", "memory_format must be 'auto', 'contiguous' or 'channels_last', got"),
        (None, "memory_format must be 'auto', 'contiguous' or 'channels_last', got None"),
        ("channels_last_3d", "memory_format 'channels_last_3d' is for 3-D; take 'channels_last'"),
    ],
)
def test_a_word_that_is_no_format_is_refused_in_one_line(word, message):
    with pytest.raises(UsageError, match=message):
        place_network(unet(2), CPU, word)


def test_the_default_device_is_a_gpu_where_there_is_one():
    assert default_device() == (GPU if torch.cuda.is_available() else CPU)


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("axes", "kind", "layout"),
    [
        (2, "batch", LAST[2]),
        (2, "instance", CONTIGUOUS),
        (3, "batch", CONTIGUOUS),
        (3, "instance", CONTIGUOUS),
    ],
)
def test_on_a_gpu_features_are_channels_last_in_2d_with_batch_norm(axes, kind, layout):
    placed = place_network(unet(axes, kind), GPU)
    assert placed.head.weight.device == GPU
    assert is_in(placed, layout)
