"""Forecast of a prediction's windows and memory, from shapes alone."""

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from torch import Tensor, nn

from medseg.data.cases.free_memory import available_bytes
from medseg.inference.activation_memory import peak_activation_bytes
from medseg.inference.engines.inferer import EngineInferer
from medseg.inference.slabs import SLICES_AT_A_TIME
from medseg.inference.sliding_labels import SlidingWindowLabels
from medseg.inference.turning import padded_to
from medseg.inference.windows import plan_windows

__all__ = ["Forecast", "forecast"]

_FLOAT_BYTES = 4
# Three temporary copies of the slices passed on: normalised logits, softmax, and concatenation.
_COPIES = 3


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Estimated windows and memory of one case.

    Attributes:
        windows: Upper limit; some windows in the region's box may be skipped.
        window: Voxels of a window along each axis.
        images: Number of mirror images in which the network sees each window.
        ram_bytes: RAM of the machine; what libraries take comes on top.
        gpu_bytes: Memory of the GPU, or None without one.
        network: Whether the network's activations are included, in fp32; False if they depend on
            values.
    """

    windows: int
    window: tuple[int, ...]
    images: int
    ram_bytes: int
    gpu_bytes: int | None = None
    network: bool = True

    def describe(self) -> str:
        """One line, with a warning where memory is short."""
        size = " x ".join(map(str, self.window))
        each = "" if self.images == 1 else f", each in {self.images} mirror images"
        beside = "" if self.network else " beside the network's"
        text = f"up to {self.windows} windows of {size}{each}, "
        text += _memory_words(self.ram_bytes, available_bytes(), f"of memory{beside}")
        if self.gpu_bytes is not None:
            free = torch.cuda.mem_get_info()[0]
            text += ", " + _memory_words(self.gpu_bytes, free, "of the GPU's")
        return text


def _memory_words(need: int, free: int | None, what: str) -> str:
    words = f"{_size(need)} {what}"
    if free is not None and need > free:
        words += f", of which only {_size(free)} are free"
    return words


def _size(n: int) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"


def forecast(
    inferer: Inferer,
    image: MetaTensor,
    network: nn.Module,
    *,
    classes: int,
    device: torch.device,
) -> Forecast | None:
    """Forecast a prediction; None for other inferers than medseg's.

    Args:
        inferer: The inferer.
        image: `(C, *spatial)`, prepared, with the source's shape in its metadata.
        network: In evaluation mode.
        classes: Of the network, background included.
        device: Where it computes.
    """
    inner = inferer.inferer if isinstance(inferer, EngineInferer) else inferer
    if not isinstance(inner, SlidingWindowLabels):
        return None
    window = inner.window_in(image.shape[1:])
    padded, _ = padded_to(image.as_subclass(Tensor), window)
    box = [side.stop - side.start for side in inner.region(padded).box]
    windows = plan_windows(box, window, overlap=inner.overlap, blend=inner.blend)
    axis = int(np.argmax(box))
    slices = window[axis] + _COPIES * min(SLICES_AT_A_TIME, window[axis])
    slab = (classes + 1) * slices * math.prod(box) // box[axis]
    volume = image.shape[0] * math.prod(padded.shape[1:])
    computing = _FLOAT_BYTES * (volume + slab)
    activations = peak_activation_bytes(network, (inner.window_batch, len(image), *inner.window))
    computing += activations or 0
    source = math.prod(int(n) for n in np.ravel(cast("Any", image).meta["spatial_shape"]))
    kept = source * (_FLOAT_BYTES + (1 if classes <= 256 else 2))
    on_gpu = device.type == "cuda"
    return Forecast(
        windows=windows.count,
        window=window,
        images=2 ** len(inner.mirror_axes),
        # The volume is prepared in RAM also if a GPU computes.
        ram_bytes=kept + (_FLOAT_BYTES * volume if on_gpu else computing),
        gpu_bytes=computing if on_gpu else None,
        network=activations is not None,
    )
