"""Results without values are as large as torch's own, and torch's compiler stays out of it."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from medseg.inference.activation_memory import peak_activation_bytes
from medseg.inference.meta_result import _KNOWN, meta_result

LAYERS = {
    "strided": nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "dilated": nn.Conv3d(4, 6, (3, 1, 3), dilation=2, padding=(2, 0, 2)),
    "grouped": nn.Conv2d(4, 8, 3, groups=2),
    "transposed": nn.ConvTranspose2d(4, 6, 2, stride=2),
    "transposed with all there is": nn.ConvTranspose3d(
        4, 6, 3, stride=(2, 1, 2), padding=1, output_padding=(1, 0, 1), groups=2
    ),
    "pooled": nn.MaxPool2d(2),
    "pooled with overlap": nn.MaxPool3d(3, stride=2, padding=1),
    "pooled with rounding up": nn.MaxPool2d(2, stride=2, ceil_mode=True),
    "pooled with places": nn.MaxPool3d(2, return_indices=True),
    "batch norm": nn.BatchNorm3d(4).eval(),
    "instance norm": nn.InstanceNorm2d(4, affine=True),
    "group norm": nn.GroupNorm(2, 4),
    "skip": lambda x: torch.cat((x, x[:, :1]), dim=1),
    "skip along the last axis": lambda x: torch.cat((x, x), dim=-1),
    "average": lambda x: nn.functional.avg_pool2d(x.flatten(2, -2), 2),
}


def sizes(result):
    return tree_map(lambda tensor: (tensor.shape, tensor.dtype), result)


class Both(TorchDispatchMode):
    """Asks torch as well, and keeps what was asked for."""

    asked = ()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        theirs = func(*args, **(kwargs or {}))
        assert sizes(meta_result(func, args, kwargs or {})) == sizes(theirs)
        self.asked = (*self.asked, func)
        return theirs


@pytest.mark.parametrize("name", LAYERS)
def test_a_result_is_as_large_as_torchs_own(name):
    layer = LAYERS[name]
    axes = 3 if "3d" in type(layer).__name__ else 2
    if isinstance(layer, nn.Module):
        layer = layer.to("meta")
    with torch.inference_mode(), Both() as mode:
        layer(torch.empty(2, 4, *(11, 12, 13)[:axes], device="meta"))
    assert set(mode.asked) & set(_KNOWN) or name == "average"


def test_what_torch_refuses_is_left_to_torch():
    assert peak_activation_bytes(nn.Conv2d(3, 4, 3), (1, 4, 8, 8)) is None
    assert peak_activation_bytes(nn.MaxPool2d(9), (1, 4, 8, 8)) is None


@pytest.mark.parametrize("norm_kind", ["instance", "batch", "group"])
def test_the_memory_of_a_u_net_is_known_without_the_compiler(norm_kind):
    code = f"""
import sys
from medseg.inference.activation_memory import peak_activation_bytes
from medseg.networks.unet import UNet
for axes in (2, 3):
    network = UNet(axes, 1, 3, depth=3, first_width=4, norm_kind={norm_kind!r}).eval()
    assert peak_activation_bytes(network, (1, 1, *(16,) * axes))
print(*sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch._dynamo", "sympy"} & set(ended.stdout.split())
