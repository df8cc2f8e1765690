"""The bias of a transposed convolution: the layer's own values and gradients, in every layout."""

import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from torch import nn

from medseg.networks.cpu.layout import CHANNELS_LAST
from medseg.networks.cpu.transposed_bias import transposed_conv

SHAPES = [(2, 3, 5, 4), (1, 3, 2, 3, 4)]
LAYERS = {4: nn.ConvTranspose2d, 5: nn.ConvTranspose3d}


def channels_last(features: torch.Tensor) -> torch.Tensor:
    return features.contiguous(memory_format=CHANNELS_LAST[features.dim()])


def layer_for(shape, dtype=torch.float64) -> nn.Module:
    torch.manual_seed(0)
    return LAYERS[len(shape)](3, 2, kernel_size=2, stride=2, dtype=dtype)


def gradients(call, layer, features, upper):
    features = features.detach().requires_grad_()
    layer.zero_grad()
    result = call(features)
    result.backward(upper)
    return result, features.grad, layer.weight.grad, layer.bias.grad


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [torch.Tensor.contiguous, channels_last])
def test_values_and_gradients_are_those_of_the_layer(shape, layout):
    layer = layer_for(shape)
    features = layout(torch.randn(shape, dtype=torch.float64))
    # Half of a wider gradient, as a skip beside it leaves it.
    upper = layout(torch.randn_like(torch.cat([layer(features)] * 2, dim=1)))[:, 2:]
    expected = gradients(layer, layer, features, upper)
    found = gradients(lambda f: transposed_conv(layer, f), layer, features, upper)
    for mine, others in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, others, check_stride=False)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (1, 3, 8, 8, 8)])
def test_the_bias_gradient_of_bf16_features_is_of_the_biass_type_and_summed_in_fp32(shape):
    layer = layer_for(shape, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        result = transposed_conv(layer, channels_last(torch.randn(shape)))
    assert result.dtype == torch.bfloat16
    result.backward(torch.ones_like(result))
    assert layer.bias.grad.dtype == torch.float32
    # bf16 that adds ones stays at 256.
    assert layer.bias.grad.tolist() == [4096, 4096]


def test_features_with_meta_data_are_taken():
    layer = layer_for(SHAPES[0])
    features = channels_last(torch.randn(SHAPES[0], dtype=torch.float64))
    transposed_conv(layer, MetaTensor(features)).square().sum().backward()
    found = layer.bias.grad.clone()
    layer.zero_grad()
    layer(features).square().sum().backward()
    torch.testing.assert_close(found, layer.bias.grad)


def test_a_bias_that_does_not_learn_gets_no_gradient():
    layer = layer_for(SHAPES[0])
    layer.bias.requires_grad_(requires_grad=False)
    transposed_conv(
        layer, channels_last(torch.randn(SHAPES[0], dtype=torch.float64))
    ).sum().backward()
    assert layer.bias.grad is None
    assert layer.weight.grad is not None


def test_hooks_of_the_layer_are_still_called():
    layer, heard = layer_for(SHAPES[0]), []
    layer.register_forward_hook(lambda *_: heard.append(1))
    transposed_conv(layer, channels_last(torch.randn(SHAPES[0], dtype=torch.float64)))
    assert heard == [1]
