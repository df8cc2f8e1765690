"""Autocast inferer: run a network in the precision in which its processor is fast.

MONAI's engines support mixed precision on CUDA only (`torch.autocast("cuda")`, with loss scaling).
bfloat16 needs no scaling and halves the time of a step on a CPU that supports it, so precision is
set where the network is called: by an inferer around an inferer, the same in training, validation
and prediction. float16 is for GPUs without bfloat16; in training it also needs MONAI's loss scaling
(`amp: true`), or small gradients become zero.
"""

from collections.abc import Callable
from typing import Any, Literal, cast, get_args

import torch
from monai.inferers.inferer import Inferer
from torch import Tensor

from medseg._checks import require_choice
from medseg.errors import MachineError

__all__ = ["AutocastInferer", "Precision", "fast_precision"]

Precision = Literal["auto", "fp32", "bf16", "fp16"]

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class AutocastInferer(Inferer):
    """Call the network under autocast, and return its output in float32.

    Args:
        inferer: The inner inferer, e.g. MONAI's `SimpleInferer` or `SlidingWindowInferer`.
        precision: `bf16`, `fp16` (GPUs only), `fp32`, or `auto`: bf16 if the processor supports
            it natively, else fp32.
    """

    def __init__(self, inferer: Inferer, *, precision: Precision = "auto") -> None:
        super().__init__()
        require_choice("AutocastInferer: precision", precision, get_args(Precision))
        self.inferer = inferer
        self.precision: Precision = precision

    def __call__(
        self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any
    ) -> Tensor:
        """Return the inferer's output, `(B, C, *spatial)` float32.

        Raises:
            MachineError: For fp16 without a GPU.
        """
        device = inputs.device.type
        precision = fast_precision(device) if self.precision == "auto" else self.precision

        if precision == "fp16" and device != "cuda":
            raise MachineError(
                "precision fp16 needs an NVIDIA GPU; set it to auto, which uses bf16 or fp32"
            )

        def call(window: Tensor, *rest: Any, **more: Any) -> Any:
            with torch.autocast(device, _HALF.get(precision), enabled=precision in _HALF):
                logits = cast("Any", network(window, *rest, **more))
                # With deep supervision, in training, a list.
                if isinstance(logits, list):
                    return [level.float() for level in cast("list[Tensor]", logits)]
                return logits.float()

        return self.inferer(inputs, call, *args, **kwargs)


def fast_precision(device: str) -> Literal["fp32", "bf16"]:
    """The precision in which `device` (`cpu`, `cuda`, ...) is fastest."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device == "cpu":
        able = torch.cpu.get_capabilities()
        return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "fp32"
    return "fp32"
