"""What a prediction will take: known from shapes alone, before the first window is run."""

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
# Of what a slab hands on at a time: divided by its weights, made probabilities, and put
# after those before them.
_COPIES = 3


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """An estimate for one case.

    Attributes:
        windows: At most; of those in the box of what matters, some may be skipped.
        window: Voxels of one along each axis.
        images: How often the network sees each: once, or in that many mirror images.
        ram_bytes: Of the machine; what libraries take comes on top.
        gpu_bytes: Of the GPU, where one computes.
        network: Whether what the network's activations take is in it, in fp32; not where that
            depends on values.
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
        text += _told(self.ram_bytes, available_bytes(), f"of memory{beside}")
        if self.gpu_bytes is not None:
            text += ", " + _told(self.gpu_bytes, torch.cuda.mem_get_info()[0], "of the GPU's")
        return text


def _told(wanted: int, free: int | None, what: str) -> str:
    short = free is not None and wanted > free
    return f"{_size(wanted)} {what}" + (f", of which only {_size(free or 0)} are free" * short)


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
    """Forecast a prediction.

    Args:
        inferer: None is known of other inferers than medseg's.
        image: `(C, *spatial)`, prepared; remembers the source's shape.
        network: In evaluation mode.
        classes: Of the network, the background included.
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
        # A GPU's volume is prepared here.
        ram_bytes=kept + (_FLOAT_BYTES * volume if on_gpu else computing),
        gpu_bytes=computing if on_gpu else None,
        network=activations is not None,
    )
