"""Masks of pruned networks: worked by hand, and what holds for all of them."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.prune import L1Unstructured, global_unstructured

from medseg.networks import UNet
from medseg.studies.lottery.masks import magnitude_mask, masked, random_mask

shares = st.floats(0.01, 0.99)


def _state(seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return dict(UNet(2, 1, 2, first_width=2, depth=2).state_dict())


def _pruned(mask) -> int:
    return sum(int((~kept).sum()) for kept in mask.values())


def test_the_smallest_weights_of_all_kernels_together_go():
    # Of six weights in two kernels, half go: 1, 2 and -3, two of the one and one of the other.
    state = {
        "a": torch.tensor([[1.0, -5.0, 2.0]]),
        "b": torch.tensor([[4.0], [-3.0], [6.0]]),
        "bias": torch.tensor([0.1]),
    }
    mask = magnitude_mask(state, 0.5)
    assert mask["a"].tolist() == [[False, True, False]]
    assert mask["b"].tolist() == [[True], [False], [True]]
    assert masked(state, mask)["a"].tolist() == [[0, -5, 0]]
    assert masked(state, mask)["bias"] is state["bias"]


@given(seed=st.integers(0, 99), first=shares, second=shares)
def test_a_mask_of_a_pruned_network_lies_within_its_own(seed, first, second):
    state = _state(seed)
    low, high = sorted((first, second))
    outer = magnitude_mask(state, low)
    inner = magnitude_mask(masked(state, outer), high)
    assert all(not (inner[name] & ~outer[name]).any() for name in inner)


@given(seed=st.integers(0, 99), sparsity=shares)
def test_a_random_mask_keeps_as_many_weights_of_each_kernel(seed, sparsity):
    mask = magnitude_mask(_state(seed), sparsity)
    drawn = random_mask(mask, torch.Generator().manual_seed(seed))
    assert {name: int(kept.sum()) for name, kept in drawn.items()} == {
        name: int(kept.sum()) for name, kept in mask.items()
    }


@given(seed=st.integers(0, 99), sparsity=shares)
def test_masks_are_those_of_torchs_global_pruning(seed, sparsity):
    torch.manual_seed(seed)
    network = UNet(2, 1, 2, first_width=2, depth=2)
    mask = magnitude_mask(network.state_dict(), sparsity)
    assert _pruned(mask) == round(sparsity * sum(kept.numel() for kept in mask.values()))
    kernels = [
        (module, "weight")
        for module in network.modules()
        if getattr(module, "weight", None) is not None and module.weight.dim() > 1
    ]
    global_unstructured(kernels, pruning_method=L1Unstructured, amount=_pruned(mask))
    theirs = {name: kept for name, kept in network.named_buffers() if name.endswith("_mask")}
    for name, kept in mask.items():
        assert torch.equal(kept, theirs[f"{name}_mask"].bool())
