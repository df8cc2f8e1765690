"""MACs and parameters: what a network costs in use, independently of the machine.

A MAC is one multiplication with its addition. Counted are those of convolutions, transposed
convolutions and matrix products (linear layers, attention); norms, activations, pooling and
biases are not, as usual. torch counts two operations for each of them.
"""

import copy
from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from medseg._checks import require_sizes

__all__ = ["macs", "parameters"]


def macs(network: nn.Module, image_shape: Sequence[int]) -> int:
    """Multiplications of one pass of one image; nothing is computed and no memory is taken.

    Args:
        network: In 2-D or 3-D; it is not changed.
        image_shape: `(C, *spatial)`, channels and size of the patch.

    Raises:
        UsageError: If the network does not take such an image.
    """
    shape = require_sizes("image_shape", image_shape, axes=(3, 4))
    # The meta device has shapes without values.
    shell = copy.deepcopy(network).to("meta").eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        shell(torch.empty(1, *shape, device="meta"))
    return counter.get_total_flops() // 2


def parameters(network: nn.Module) -> int:
    """Number of weights, biases and norms' scales, whether trained or frozen."""
    return sum(parameter.numel() for parameter in network.parameters())
