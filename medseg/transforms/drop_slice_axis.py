"""DropSliceAxisd: squeeze the third axis of single-slice files.

MONAI's `SqueezeDimd` fails on a file of several slices. A 2-D network trains on single slices,
but may be applied to a volume, whose labels should come back as a volume: it keeps its axes
here, and `medseg.inference.SlidingWindowLabels` labels it slice by slice.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config.type_definitions import KeysCollection
from monai.transforms.transform import MapTransform
from monai.transforms.utility.array import SqueezeDim

__all__ = ["DropSliceAxisd"]


class DropSliceAxisd(MapTransform):
    """Drop the third axis where it has one voxel: `(C, I, J, 1)` to `(C, I, J)`.

    Images with more slices, and images with two axes, stay as they are.

    Args:
        keys: Which entries.
    """

    def __init__(self, keys: KeysCollection) -> None:
        super().__init__(keys)
        self._squeeze = SqueezeDim(dim=-1)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return `data` with the axis dropped."""
        dropped = dict(data)
        for key in self.keys:
            if dropped[key].ndim == 4 and dropped[key].shape[-1] == 1:
                dropped[key] = self._squeeze(dropped[key])
        return dropped
