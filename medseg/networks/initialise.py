"""Weight initialisation: He, Glorot or torch's own, for convolutions and transposed convolutions.

`torch.nn.init` takes a transposed convolution's fan-in from the wrong axis of its weight and
ignores its stride, so both fans are computed here.

References:
    He et al., Delving Deep into Rectifiers, ICCV 2015. https://doi.org/10.1109/ICCV.2015.123
    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
    networks, AISTATS 2010. https://proceedings.mlr.press/v9/glorot10a.html
"""

import math
from typing import Literal

from torch import nn

__all__ = ["Initialisation", "fans", "initialise"]

Initialisation = Literal["he", "glorot", "torch"]
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
AnyConvolution = nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d


def initialise(network: nn.Module, kind: Initialisation) -> None:
    """Initialise the weights of all convolutions, and set their biases to zero.

    Args:
        network: Changed in place; norms keep weight one and bias zero.
        kind: `he` draws from a normal distribution with variance 2 / fan_in (He 2015,
            eq. 10), `glorot` uniformly with variance 2 / (fan_in + fan_out) (Glorot 2010,
            eq. 16). `torch` leaves weights and biases as torch draws them: uniformly, with
            variance 1 / (3 fan_in) by its own fan-in, for comparisons with networks that
            nothing was done for.
    """
    if kind == "torch":
        return
    for module in network.modules():
        if isinstance(module, _CONVOLUTIONS):
            fan_in, fan_out = fans(module)
            if kind == "he":
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_in))
            else:
                bound = math.sqrt(6 / (fan_in + fan_out))
                nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def fans(convolution: AnyConvolution) -> tuple[float, float]:
    """Fan-in and fan-out: inputs per output, and outputs per input.

    Away from the borders, and averaged over the phases of a stride.
    """
    kernel, stride = math.prod(convolution.kernel_size), math.prod(convolution.stride)
    inputs = convolution.in_channels * kernel
    outputs = convolution.out_channels * kernel
    if isinstance(convolution, (nn.ConvTranspose2d, nn.ConvTranspose3d)):
        return inputs / stride, outputs
    return inputs, outputs / stride
