"""Where channels last is worth a way of its own: on a CPU, in Python."""

import torch
from torch import Tensor

__all__ = ["CHANNELS_LAST", "is_channels_last_on_cpu"]

# By the number of axes, batch and channels included.
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@torch.jit.unused
def is_channels_last_on_cpu(features: Tensor) -> bool:
    """Whether features are laid out so, and the network is run rather than exported.

    What leaves Python keeps torch's own operators, which other tools know.
    """
    if torch.jit.is_tracing() or torch.compiler.is_compiling():  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
        return False
    layout = CHANNELS_LAST.get(features.dim())
    if layout is None or features.device.type != "cpu" or features.is_contiguous():
        return False
    return features.is_contiguous(memory_format=layout)
