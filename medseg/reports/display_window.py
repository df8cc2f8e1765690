"""Display window: image values that are drawn black and white, by what is labelled.

A network's own window serves the network: one from air to soft tissue shows all soft tissue white.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DisplayWindow", "display_window"]

_PERCENTILES = (1.0, 99.5)
# Voxels that are looked at; more cost time and change nothing that is seen.
_MOST_VOXELS = 200_000
# A CT has air in it or around it, unless its values are not in HU.
_HU_BELOW = -200
_LUNG_BELOW, _BONE_ABOVE = -300, 250


@dataclass(frozen=True, kw_only=True)
class DisplayWindow:
    """A window of grey values.

    Attributes:
        low: Image value that becomes black.
        high: Image value that becomes white.
        kind: What it is made for, in words.
    """

    low: float
    high: float
    kind: str

    @property
    def words(self) -> str:
        """Its kind, width and level, e.g. `CT lung window, W 1600 L -400`."""
        width, level = self.high - self.low, (self.high + self.low) / 2
        return f"{self.kind}, W {width:.4g} L {level:.4g}"


_LUNG = DisplayWindow(low=-1200, high=400, kind="CT lung window")
_SOFT = DisplayWindow(low=-160, high=240, kind="CT soft-tissue window")
_BONE = DisplayWindow(low=-500, high=1300, kind="CT bone window")


def display_window(
    image: NDArray[Any], labelled: NDArray[np.bool_], modality: str = ""
) -> DisplayWindow:
    """Choose the window for the part of an image that is shown.

    A CT in HU gets the lung, bone or soft-tissue window by the median of what is labelled; all
    else, and a CT without a label, the range between two percentiles.

    Args:
        image: `(*spatial)`, the part shown.
        labelled: Of the same shape.
        modality: E.g. `CT`.
    """
    step = max(1, ceil((image.size / _MOST_VOXELS) ** (1 / image.ndim)))
    few = (slice(None, None, step),) * image.ndim
    values = np.nan_to_num(image[few].astype(np.float32))
    inside = values[labelled[few]] if labelled[few].any() else image[labelled].astype(np.float32)
    if modality == "CT" and inside.size and values.min() < _HU_BELOW:
        median = float(np.median(inside))
        return _LUNG if median < _LUNG_BELOW else _BONE if median > _BONE_ABOVE else _SOFT
    low, high = (float(value) for value in np.percentile(values, _PERCENTILES))
    return DisplayWindow(low=low, high=high, kind="Window from the 1st to the 99.5th percentile")
