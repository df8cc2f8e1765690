"""What a prediction will take: known from shapes alone, before the first window is run."""

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from torch import Tensor

from medseg.data.room import available_bytes
from medseg.inference import EngineInferer, SlidingWindowLabels
from medseg.inference.turning import padded_to
from medseg.inference.windows import plan_windows

__all__ = ["Forecast", "forecast"]

_FLOAT_BYTES = 4
# While one slab is handed on, what is left of it is copied into the next one.
_SLABS = 2


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """An estimate for one case.

    Attributes:
        windows: At most; of those in the box of what matters, some may be skipped.
        window: Voxels of one along each axis.
        images: How often the network sees each: once, or in that many mirror images.
        ram_bytes: For the volume in the network's grid, a slab of logits, image and label in the
            source's grid. What libraries and weights take comes on top.
    """

    windows: int
    window: tuple[int, ...]
    images: int
    ram_bytes: int

    def describe(self) -> str:
        """One line, with a warning where memory is short."""
        size = " x ".join(map(str, self.window))
        each = "" if self.images == 1 else f", each in {self.images} mirror images"
        text = f"up to {self.windows} windows of {size}{each}, {_size(self.ram_bytes)} of memory"
        free = available_bytes()
        if free is not None and self.ram_bytes > free:
            text += f", of which only {_size(free)} are free"
        return text


def _size(n: int) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"


def forecast(inferer: Inferer, image: MetaTensor, classes: int) -> Forecast | None:
    """Forecast a prediction.

    Args:
        inferer: None is known of other inferers than medseg's.
        image: `(C, *spatial)`, prepared; remembers the source's shape.
        classes: Of the network, the background included.
    """
    inner = inferer.inferer if isinstance(inferer, EngineInferer) else inferer
    if not isinstance(inner, SlidingWindowLabels):
        return None
    window = inner.window_in(image.shape[1:])
    padded, _ = padded_to(image.as_subclass(Tensor), window)
    box = [side.stop - side.start for side in inner.region(padded).box]
    windows = plan_windows(box, window, overlap=inner.overlap, blend=inner.blend)
    axis = int(np.argmax(box))
    slab = classes * window[axis] * math.prod(box) // box[axis]
    shape = padded.shape[1:]
    source = math.prod(int(n) for n in np.ravel(cast("Any", image).meta["spatial_shape"]))
    label_bytes = 1 if classes <= 256 else 2
    return Forecast(
        windows=windows.count,
        window=window,
        images=2 ** len(inner.mirror_axes),
        ram_bytes=_FLOAT_BYTES * (image.shape[0] * math.prod(shape) + _SLABS * slab)
        + source * (_FLOAT_BYTES + label_bytes),
    )
