"""OpenVINO engine: runs a network on the CPU in half of torch's time."""

import threading
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from medseg.errors import UsageError
from medseg.inference.engines.conversion import openvino_model
from medseg.inference.engines.openvino_runtime import load_openvino, openvino_core

__all__ = ["openvino_bf16", "openvino_predictor"]

_HINTS = {"fp32": "f32", "bf16": "bf16"}


def openvino_bf16() -> bool:
    """Whether the processor supports bf16 natively, according to OpenVINO."""
    return "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class _Predictor:
    """One infer request, with input and output in torch's memory."""

    def __init__(self, compiled: Any, classes: int) -> None:
        self.request = compiled.create_infer_request()
        self.classes = classes
        self.lock = threading.Lock()
        self.tensor: Any = load_openvino().Tensor

    def __call__(self, windows: Tensor) -> Tensor:
        windows = windows.detach().contiguous()
        logits = torch.empty(len(windows), self.classes, *windows.shape[2:])
        with self.lock:
            self.request.set_input_tensor(self.tensor(windows.numpy(), shared_memory=True))
            self.request.set_output_tensor(self.tensor(logits.numpy(), shared_memory=True))
            self.request.infer()
        return logits


def openvino_predictor(
    network: nn.Module,
    precision: Literal["fp32", "bf16"],
    *,
    window: tuple[int, ...],
    channels: int,
    path: Path,
) -> _Predictor:
    """A network as a function from windows to logits, with the same number of threads as torch.

    Args:
        network: In evaluation mode, on the CPU, float32.
        precision: Of the convolutions; input and output are float32.
        window: Voxels of a window along each axis.
        channels: Of the image.
        path: File of the converted network.

    Raises:
        UsageError: If the processor does not support the precision, or the network's logits have
            another size than its window.
    """
    if precision == "bf16" and not openvino_bf16():
        raise UsageError("this processor does not support bf16; use --precision fp32 or auto")
    model = openvino_model(network, path, window=window, channels=channels)
    shape = [size.get_length() for size in list(model.outputs[0].partial_shape)[1:]]
    if tuple(shape[1:]) != window:
        raise UsageError(
            f"logits must have the window's size {window}, this network returns "
            f"{tuple(shape[1:])}; use padded convolutions"
        )
    return _Predictor(_compile(model, precision), shape[0])


def _compile(model: Any, precision: Literal["fp32", "bf16"]) -> Any:
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        # With pinning, two processes would share the first cores and leave the others idle.
        "ENABLE_CPU_PINNING": False,
    }
    return openvino_core().compile_model(model, "CPU", settings)
