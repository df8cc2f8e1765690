"""Ablation: which weights become zero, by each method."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.networks import UNet, place_network
from medseg.studies.pruning.ablation import Ablation, ablated
from medseg.studies.pruning.methods import METHODS
from medseg.studies.pruning.selection import named_module, ranked_thirds, selections
from medseg.studies.pruning.wiring import wiring


def network():
    return UNet(2, 1, 2, depth=3, first_width=4, norm_kind="batch").eval()


def done(own, method, modules, amount, saliency=None):
    ablation = Ablation(method=method, selection="x", modules=modules, amount=amount)
    return ablated(own, ablation, saliency or {}, seed=0)


@given(method=st.sampled_from(list(METHODS)), amount=st.sampled_from([0.25, 0.5, 0.75]))
def test_the_share_asked_for_becomes_zero_and_nothing_else_changes(method, amount):
    own = network()
    modules = ("stem.3", "up.0.up")
    saliency = {name: own.get_submodule(name).weight.detach().abs() for name in modules}
    pruned, sparsity = done(own, method, modules, amount, saliency)
    zeros, elements = (sum(getattr(one, k) for one in sparsity) for k in ("zeros", "elements"))
    assert zeros / elements == amount
    before, after = own.state_dict(), pruned.state_dict()
    for name, tensor in before.items():
        if name in ("stem.3.weight", "up.0.up.weight"):
            stays = after[name] != 0
            assert torch.equal(after[name][stays], tensor[stays])
        else:
            assert torch.equal(after[name], tensor)


def test_the_smallest_go_in_each_convolution_or_in_all_together():
    own = network()
    with torch.no_grad():
        own.stem[3].weight.copy_(torch.full((4, 4, 3, 3), 0.1))
        own.head.weight.copy_(torch.full((2, 4, 1, 1), 5.0))
    modules = ("stem.3", "head")
    together = done(own, "global_unstructured", modules, 0.5)[1]
    # 152 weights in all, the 144 of the first smaller than the 8 of the second: 76 of the first.
    assert [one.zeros for one in together] == [76, 0]
    assert [one.zeros for one in done(own, "l1_unstructured", modules, 0.5)[1]] == [72, 4]


@pytest.mark.parametrize("method", ["l1_structured", "l2_structured"])
def test_the_smallest_filter_goes_also_of_a_transposed_convolution(method):
    own = network()
    with torch.no_grad():
        own.up[0].up.weight[:, 1] = 1e-3
    pruned, _ = done(own, method, ("up.0.up",), 1 / 8)
    weight = pruned.up[0].up.weight
    gone = [channel for channel in range(weight.shape[1]) if not weight[:, channel].any()]
    assert gone == [1]


def test_the_gradient_decides_not_the_weight():
    own = network()
    saliency = {"stem.0": torch.ones(4, 1, 3, 3)}
    saliency["stem.0"][2] = 0.0
    pruned, _ = done(own, "gradient_unstructured", ("stem.0",), 0.25, saliency)
    assert [bool(one.any()) for one in pruned.stem[0].weight] == [True, True, False, True]


def test_networks_in_channels_last_are_pruned_as_well():
    own = place_network(network(), "cpu")
    modules = tuple(one.name for one in wiring(own))
    _, sparsity = done(own, "global_unstructured", modules, 0.5)
    assert sum(one.zeros for one in sparsity) == sum(one.elements for one in sparsity) // 2


def test_parts_are_told_apart():
    found = selections(network())
    assert found["bottleneck"] == ("down.1.1.0", "down.1.1.3")
    assert found["encoder"] == ("stem.0", "stem.3", "down.0.1.0", "down.0.1.3")
    assert found["decoder"][:3] == ("up.0.up", "up.0.block.0", "up.0.block.3")
    assert set(found["low-level"]) | set(found["high-level"]) == set(found["all"])
    assert "stem.0" in found["low-level"]
    assert "down.1.1.0" in found["high-level"]


def test_thirds_by_a_number():
    values = {"a": 1.0, "b": 3.0, "c": 2.0}
    assert ranked_thirds(values, most="m", least="l") == {"m": ("b",), "l": ("a",)}


def test_a_convolution_that_is_not_there_is_named():
    with pytest.raises(UsageError, match=r"--module stem.9: no such convolution; there are stem.0"):
        named_module(network(), "stem.9")
