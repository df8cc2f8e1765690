"""Removal of channels: what is left computes the same where nothing was lost."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from medseg.networks import UNet
from medseg.studies.pruning.macs import unet_macs
from medseg.studies.pruning.removal import channel_counts, without_channels
from medseg.studies.pruning.wiring import wiring

networks = st.builds(
    lambda axes, norm, kind, activation, convolution: UNet(
        axes,
        1,
        2,
        depth=3,
        first_width=4,
        norm=norm,
        norm_kind=kind,
        activation=activation,
        dropout=0.1,
        convolution=convolution,
    ).eval(),
    axes=st.sampled_from([2, 3]),
    norm=st.sampled_from(["none", "one", "both"]),
    kind=st.sampled_from(["batch", "instance"]),
    activation=st.sampled_from(["relu", "elu"]),
    convolution=st.sampled_from(["padded", "valid"]),
)


def silenced(network, kept):
    """Make the channels that go zero everywhere: behind a norm by its scale and shift."""
    for one in wiring(network):
        gone = [c for c in range(channel_counts(network)[one.name]) if c not in kept[one.name]]
        layer = network.get_submodule(one.norm or one.name)
        with torch.no_grad():
            (layer.weight.transpose(0, 1) if one.transposed else layer.weight)[gone] = 0
            layer.bias[gone] = 0


@given(network=networks, data=st.data())
def test_removing_channels_that_are_zero_changes_nothing(network, data):
    kept = {
        name: sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
        for name, count in channel_counts(network).items()
        if name != "head"
    }
    kept["head"] = [0, 1]
    silenced(network, kept)
    size = 44 if network.levels.convolution == "valid" else 8
    image = torch.rand(1, 1, *[size] * len(network.levels.kernels[0]))
    with torch.no_grad():
        difference = without_channels(network, kept)(image) - network(image)
    assert difference.abs().max() < 1e-4


def test_the_original_stays_as_it_was():
    network = UNet(2, 1, 2, depth=2, first_width=4)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    smaller = without_channels(network, {"stem.0": [0, 2]})
    assert smaller.describe()["widths"] == [[2, 4, 4, 4, 4], 8]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_the_running_statistics_of_batch_norms_go_with_their_channels():
    network = UNet(2, 1, 2, depth=2, first_width=4, norm_kind="batch")
    network.stem[1].running_mean.copy_(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    smaller = without_channels(network, {"stem.0": [1, 3]})
    assert smaller.stem[1].running_mean.tolist() == [1, 3]


@pytest.mark.parametrize("axes", [2, 3])
def test_multiplications_are_those_that_torch_counts(axes):
    network = UNet(axes, 2, 3, depth=3, widths=[[3, 4, 5, 6, 7], 8, [9, 10]]).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.rand(1, 2, *[16] * axes))
    assert 2 * unet_macs(network, [16] * axes) == counter.get_total_flops()


def test_the_groups_are_those_that_torch_pruning_traces():
    tp = pytest.importorskip("torch_pruning", reason="torch-pruning is not installed")
    network = UNet(2, 1, 2, depth=3, first_width=4, norm_kind="batch").eval()
    graph = tp.DependencyGraph().build_dependency(network, torch.rand(1, 1, 16, 16))
    for one in wiring(network)[:-1]:
        layer = network.get_submodule(one.name)
        group = graph.get_pruning_group(
            layer, graph.get_pruner_of_module(layer).prune_out_channels, idxs=[1]
        )
        group.prune()
        ours = UNet(2, 1, 2, depth=3, first_width=4, norm_kind="batch")
        kept = {one.name: [c for c in range(channel_counts(ours)[one.name]) if c != 1]}
        expected = without_channels(ours, kept).state_dict()
        got = network.state_dict()
        assert {n: t.shape for n, t in got.items()} == {n: t.shape for n, t in expected.items()}
        network = UNet(2, 1, 2, depth=3, first_width=4, norm_kind="batch").eval()
        graph = tp.DependencyGraph().build_dependency(network, torch.rand(1, 1, 16, 16))
