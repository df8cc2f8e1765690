"""The memory of activations, counted without values: by hand for small nets, by torch for ours."""

import pytest
import torch
from torch import nn

from medseg.inference.activation_memory import peak_activation_bytes
from medseg.networks import UNet


def test_input_and_output_of_one_layer_are_alive_at_once():
    conv = nn.Conv2d(1, 8, 3, padding=1)
    assert peak_activation_bytes(conv, (1, 1, 10, 10)) == 4 * 100 * (1 + 8)


def test_what_is_no_longer_needed_does_not_count():
    # The caller holds the input; the widest two neighbours are 8 and 8.
    chain = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 2, 1))
    assert peak_activation_bytes(chain, (1, 1, 10, 10)) == 4 * 100 * (1 + 8 + 8)


def test_what_is_changed_in_place_counts_once():
    chain = nn.Sequential(nn.Conv2d(1, 8, 1), nn.ReLU(inplace=True))
    assert peak_activation_bytes(chain, (1, 1, 10, 10)) == 4 * 100 * (1 + 8)


class Kept(nn.Module):
    """Holds its first activation to the end, as a skip is."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 1), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        skip = self.first(x)
        deep = self.second(skip)
        return torch.cat((skip, deep), dim=1)


def test_a_skip_is_alive_until_it_is_used():
    assert peak_activation_bytes(Kept(), (1, 1, 10, 10)) == 4 * 100 * (1 + 8 + 2 + 10)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("norm_kind", ["instance", "batch"])
def test_a_batch_takes_that_many_times_the_memory_and_the_network_stays_as_it_is(axes, norm_kind):
    network = UNet(axes, 1, 3, depth=3, first_width=4, norm_kind=norm_kind).eval()
    before = [parameter.clone() for parameter in network.parameters()]
    one = peak_activation_bytes(network, (1, 1, *(16,) * axes))
    assert peak_activation_bytes(network, (3, 1, *(16,) * axes)) == 3 * one
    # The last level's two skips, at least, and its output.
    assert one > 4 * 16**axes * (1 + 4 + 4)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


class Looks(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_a_network_that_looks_at_values_is_not_forecast():
    assert peak_activation_bytes(Looks(), (1, 1, 4, 4)) is None


@pytest.mark.cuda
def test_a_gpu_takes_no_less_and_not_much_more():
    network = UNet(3, 1, 3, depth=4, first_width=16).eval()
    expected = peak_activation_bytes(network, (2, 1, 96, 96, 96))
    network.cuda()
    windows = torch.zeros(2, 1, 96, 96, 96, device="cuda")
    with torch.inference_mode():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        network(windows)
        taken = torch.cuda.max_memory_allocated() - before + windows.nbytes
    assert 0.9 * expected < taken < 2 * expected
