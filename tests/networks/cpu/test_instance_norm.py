"""Instance norm: torch's own in every layout, and the layout stays."""

import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from torch import nn

from medseg.networks.cpu.instance_norm import InstanceNorm

SHAPES = [(2, 3, 5, 4), (2, 3, 5, 4, 6), (1, 3, 2, 2, 2)]
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
TORCHS = {4: nn.InstanceNorm2d, 5: nn.InstanceNorm3d}


def channels_last(features: torch.Tensor) -> torch.Tensor:
    return features.contiguous(memory_format=LAYOUTS[features.dim()])


def both(shape, dtype) -> tuple[InstanceNorm, nn.Module]:
    torch.manual_seed(0)
    ours = InstanceNorm(3).to(dtype)
    theirs = TORCHS[len(shape)](3, affine=True).to(dtype)
    nn.init.uniform_(ours.weight, 0.5, 2)
    nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [torch.Tensor.contiguous, channels_last])
def test_values_and_gradients_are_those_of_torch(shape, layout):
    ours, theirs = both(shape, torch.float64)
    features, gradient = torch.randn(2, *shape, dtype=torch.float64)
    mine = layout(features).clone().requires_grad_()
    others = features.clone().requires_grad_()
    ours(mine).backward(layout(gradient))
    theirs(others).backward(gradient)
    torch.testing.assert_close(ours(mine), theirs(others), check_stride=False)
    torch.testing.assert_close(mine.grad, others.grad, check_stride=False)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_last_stays_so_forward_and_backward(shape):
    ours, _ = both(shape, torch.float32)
    features = channels_last(torch.randn(shape)).requires_grad_()
    normalised = ours(features)
    # A gradient in another layout, as a crop of a skip has it; what comes back is looked at
    # before it is a leaf's, which would be laid out as the leaf is.
    (back,) = torch.autograd.grad(normalised, features, torch.randn(shape))
    for tensor in (normalised, back):
        assert tensor.is_contiguous(memory_format=LAYOUTS[len(shape)])


@pytest.mark.parametrize("shape", [(n, 3, *size) for n in (1, 2) for size in ((5, 4), (2, 3, 4))])
@pytest.mark.parametrize("kind", [torch.Tensor, MetaTensor])
def test_its_output_may_be_changed_in_place(shape, kind):
    ours, theirs = both(shape, torch.float32)
    features = torch.randn(shape)
    torch.relu_(ours(channels_last(features).as_subclass(kind))).sum().backward()
    torch.relu_(theirs(features)).sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)


def test_the_derivative_is_that_of_finite_differences():
    ours, _ = both(SHAPES[0], torch.float64)
    features = channels_last(torch.randn(SHAPES[0], dtype=torch.float64)).requires_grad_()

    def normalise(features, weight, bias):
        return torch.func.functional_call(ours, {"weight": weight, "bias": bias}, features)

    assert torch.autograd.gradcheck(normalise, (features, *ours.parameters()))


def test_bf16_features_and_fp32_weights_go_together():
    ours, theirs = both(SHAPES[1], torch.float32)
    features = torch.randn(SHAPES[1]).bfloat16()
    mine = ours(channels_last(features))
    assert mine.dtype == torch.bfloat16
    torch.testing.assert_close(mine, theirs(features), rtol=0.02, atol=0.02, check_stride=False)


@pytest.mark.parametrize("layout", [torch.Tensor.contiguous, channels_last])
def test_one_voxel_has_no_variance_and_is_refused(layout):
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        InstanceNorm(3)(layout(torch.ones(1, 3, 1, 1, 1)))


# A trace fixes sizes, and says so where torch's norms check theirs.
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_of_a_network_of_channels_last_has_torchs_operator():
    norm = InstanceNorm(3).eval()
    image = channels_last(torch.randn(1, 3, 4, 4))
    trace = torch.jit.trace(norm, image)
    assert "aten::instance_norm" in str(trace.graph)
    torch.testing.assert_close(trace(image), norm(image), check_stride=False)


def test_a_compiled_network_of_channels_last_has_torchs_operator():
    norm, seen = InstanceNorm(3), []

    def backend(graph, _):
        seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph.forward

    image = channels_last(torch.randn(1, 3, 4, 4))
    compiled = torch.compile(norm, backend=backend, fullgraph=True)(image)
    assert any("instance_norm" in name for name in seen)
    torch.testing.assert_close(compiled, norm(image), check_stride=False)
