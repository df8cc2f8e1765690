"""A network run by torch: under autocast where that is faster, its memory laid out to fit."""

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
    """A network as a function from windows to logits; its weights are copied.

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
    # Of a CUDA graph the next call overwrites the output, and who blends may still want it.
    lent = device.type == "cuda" and compile in ("reduce-overhead", "max-autotune")
    half = precision != "fp32"

    def predict(windows: Tensor) -> Tensor:
        windows = windows.contiguous(memory_format=layout)
        # A caller's own autocast must not reach in here, so it is entered in fp32 as well.
        with torch.inference_mode(), torch.autocast(device.type, _DTYPES[precision], enabled=half):
            logits = call(windows)
            return (logits.clone() if lent else logits).float().contiguous()

    return predict


def _layout(network: nn.Module, axes: int, device: torch.device) -> torch.memory_format:
    """Channels last, but for norms that would turn everything to and fro between convolutions."""
    if turns_channels_last(network, device):
        return torch.contiguous_format
    return torch.channels_last if axes == 2 else torch.channels_last_3d
