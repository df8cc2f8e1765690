"""Torch engine: runs a network under autocast, in the best memory layout."""

import copy
from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from medseg.networks.compilation import Compile, compile_network
from medseg.networks.placement import turns_channels_last

__all__ = ["torch_predictor"]

Predictor = Callable[[Tensor], Tensor]

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def torch_predictor(
    network: nn.Module,
    precision: Literal["fp32", "bf16", "fp16"],
    *,
    axes: int,
    device: torch.device,
    compile: Compile = "none",
) -> Predictor:
    """A copy of a network as a function from windows to logits.

    Args:
        network: In evaluation mode.
        precision: Of the convolutions; input and output are float32.
        axes: Spatial axes, 2 or 3.
        device: Where the copy computes.
        compile: See `compile_network`.
    """
    layout = _layout(network, axes, device)
    own = cast("Any", copy.deepcopy(network).to(device)).to(memory_format=layout)
    compile_network(own, compile, device)
    call = cast("Predictor", own)
    # The next call of a CUDA graph overwrites the output, which the caller may still need.
    lent = device.type == "cuda" and compile in ("reduce-overhead", "max-autotune")
    half = precision != "fp32"

    def predict(windows: Tensor) -> Tensor:
        windows = windows.contiguous(memory_format=layout)
        # Enter autocast for fp32 too, disabled, to override one of the caller's.
        with torch.inference_mode(), torch.autocast(device.type, _DTYPES[precision], enabled=half):
            logits = call(windows)
            return (logits.clone() if lent else logits).float().contiguous()

    return predict


def _layout(network: nn.Module, axes: int, device: torch.device) -> torch.memory_format:
    """Channels last, unless the network has norms that convert from and back to it each time."""
    if turns_channels_last(network, device):
        return torch.contiguous_format
    return torch.channels_last if axes == 2 else torch.channels_last_3d
