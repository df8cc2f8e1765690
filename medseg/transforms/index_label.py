"""Index labels as integer arrays: shape and value checks, conversion to 8 or 16 bits.

Readers return labels as float32 with metadata, caches as bytes, and users pass whatever their
program wrote. Code that counts voxels or separates instances needs small integers, and has to
report anything else.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medseg._checks import WHOLE_TOLERANCE
from medseg.errors import DataError

__all__ = ["MAX_VALUE", "apply_to_label", "spatial_label", "whole_numbers"]

MAX_VALUE = 65535
T = TypeVar("T")


def spatial_label(label: Any) -> NDArray[Any]:
    """The label without its channel axis: an array on the CPU, sharing memory where possible.

    Args:
        label: `(1, *spatial)`, an array or a tensor.

    Returns:
        `(*spatial)`.

    Raises:
        DataError: If it has several channels, no spatial axis, or no voxel.
    """
    if isinstance(label, Tensor):
        tensor = label.detach().cpu().as_subclass(Tensor)
        array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    else:
        array = np.asarray(label)
    if array.ndim < 2 or array.shape[0] != 1:
        raise DataError(f"must be (1, *spatial), got shape {array.shape}; pass an index label")
    if array.size == 0:
        raise DataError(f"has no voxels, got shape {array.shape}; check the file and its crop")
    return array[0]


def whole_numbers(label: NDArray[Any]) -> NDArray[np.uint8 | np.uint16]:
    """The label as uint8 or uint16, which sort fast; negative values become 0.

    Floating-point values within rounding of a whole number become it.

    Raises:
        DataError: If it holds NaN, fractions, or values above 65535.
    """
    if label.dtype == np.uint8 or label.dtype == np.bool_:
        return label.view(np.uint8)
    if label.dtype == np.uint16:
        return label
    if label.dtype.kind == "f":
        whole = np.rint(label)
        if not np.array_equal(whole, label):
            with np.errstate(invalid="ignore"):
                fractions = label[~(np.abs(label - whole) <= WHOLE_TOLERANCE)]
            if fractions.size:
                raise DataError(
                    f"holds {fractions[0]}, not a whole number; resample labels by nearest "
                    "neighbour"
                )
        label = whole
    highest = label.max()
    if highest > MAX_VALUE:
        raise DataError(f"holds {highest:g}, more than {MAX_VALUE}; check that this is a label")
    return np.where(label > 0, label, 0).astype(np.uint16)


def apply_to_label(
    sample: Mapping[Hashable, Any], key: Hashable, read: Callable[[NDArray[Any]], T]
) -> T:
    """Apply `read` to the sample's label; errors name the case and the key.

    Raises:
        DataError: If `spatial_label` or `read` refuses the label.
    """
    try:
        return read(spatial_label(sample[key]))
    except DataError as error:
        case = f"case {sample['case']!r}: " if "case" in sample else ""
        raise DataError(f"{case}{key}: {error}") from error
