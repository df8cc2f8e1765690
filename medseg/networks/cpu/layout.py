"""Is this tensor channels-last on a CPU, in eager mode? Then the faster operators apply."""

import torch
from torch import Tensor

__all__ = ["CHANNELS_LAST", "is_channels_last_on_cpu"]

# By number of axes, batch and channels included.
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@torch.jit.unused
def is_channels_last_on_cpu(features: Tensor) -> bool:
    """Whether features are channels last on a CPU, and the network runs in eager mode.

    Traced or compiled, it must keep to torch's own operators.
    """
    leaves_python = torch.jit.is_tracing() or torch.compiler.is_compiling()  # pyright: ignore[reportPrivateImportUsage] - torch lists it nowhere
    layout = CHANNELS_LAST.get(features.dim())
    if leaves_python or layout is None or features.device.type != "cpu":
        return False
    return not features.is_contiguous() and features.is_contiguous(memory_format=layout)
