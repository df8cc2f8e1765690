"""A skip beside its features: torch's concatenation, and gradients in one piece each."""

import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from medseg.networks.cpu.join import join
from medseg.networks.cpu.layout import CHANNELS_LAST

SHAPES = [((2, 3, 5, 4), (2, 2, 5, 4)), ((1, 3, 2, 3, 4), (1, 4, 2, 3, 4))]


def channels_last(features: torch.Tensor) -> torch.Tensor:
    return features.contiguous(memory_format=CHANNELS_LAST[features.dim()])


def results(call, pair, upper):
    """Value and raw gradients: `.grad` of a leaf would be laid out as the leaf is."""
    pair = [one.detach().requires_grad_() for one in pair]
    joined = call(*pair)
    return joined, *torch.autograd.grad(joined, pair, upper)


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("layout", [torch.Tensor.contiguous, channels_last])
def test_values_and_gradients_are_those_of_torchs_concatenation(shapes, layout):
    torch.manual_seed(0)
    pair = [layout(torch.randn(shape)) for shape in shapes]
    upper = layout(torch.randn_like(torch.cat(pair, dim=1)))
    expected = results(lambda *both: torch.cat(both, dim=1), pair, upper)
    for mine, others in zip(results(join, pair, upper), expected, strict=True):
        torch.testing.assert_close(mine, others, check_stride=False, rtol=0, atol=0)


@pytest.mark.parametrize("shapes", SHAPES)
def test_each_gradient_is_one_piece_of_memory_in_channels_last(shapes):
    pair = [channels_last(torch.randn(shape)) for shape in shapes]
    upper = channels_last(torch.ones_like(torch.cat(pair, dim=1)))
    for tensor in results(join, pair, upper):
        assert tensor.is_contiguous(memory_format=CHANNELS_LAST[tensor.dim()])


@pytest.mark.parametrize("which", [0, 1])
def test_only_what_learns_gets_a_gradient(which):
    pair = [channels_last(torch.randn(shape)) for shape in SHAPES[0]]
    pair[which].requires_grad_()
    join(*pair).sum().backward()
    assert pair[which].grad.eq(1).all()
    assert pair[1 - which].grad is None


def test_features_with_meta_data_are_taken():
    pair = [MetaTensor(channels_last(torch.randn(shape))) for shape in SHAPES[0]]
    pair[0].requires_grad_()
    join(*pair).sum().backward()
    assert pair[0].grad.eq(1).all()
