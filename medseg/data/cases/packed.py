"""Packed cases: prepared volumes in half the memory (image as float16 or int16, label as uint8).

Cases are kept in this form in memory and on disk, and passed to augmentation in it, so that a
sample is the same wherever its case was cached. Values that do not fit are refused here, with the
name of the case, rather than found as NaN in a loss.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medseg.data.nested import array_of, arrays_in, plain
from medseg.errors import DataError, UsageError

__all__ = ["VOLUMES", "Packed", "case_name", "pack_case", "packed_bytes"]

Packed = dict[str, Any]
Array = NDArray[Any]

# Keys of volumes; all other entries of a prepared case are kept as they are.
VOLUMES = ("image", "label", "weight")
# Endings of the entries that MONAI adds for a volume when it does not use MetaTensors.
METADATA = ("_meta_dict", "_transforms")
LARGEST_FLOAT16 = float(np.finfo(np.float16).max)


def case_name(case: Mapping[str, Any]) -> str:
    """Name of a case in errors: its identifier, or else its image."""
    return str(case.get("case", case.get("image", "a case without a name")))


def pack_case(prepared: object, case: Mapping[str, Any]) -> Packed:
    """Pack a prepared case for the cache.

    Args:
        prepared: Dictionary with `image` `(C, *spatial)` and perhaps `label` and `weight`
            `(1, *spatial)`, tensors or arrays; other entries may be numbers, text, arrays,
            and lists or dictionaries of these. Metadata is dropped.
        case: The input of the preparation, whose name errors mention.

    Returns:
        `image` and `weight` as float16, an integer image that fits as int16; `label` as uint8,
        or uint16 for values above 255; other entries with arrays for tensors and lists for
        tuples. All arrays are read-only, as all samples of the case share them.

    Raises:
        DataError: If values do not fit these types, or shapes do not fit each other.
        UsageError: If the preparation returns no such dictionary.
    """
    name = case_name(case)
    if not isinstance(prepared, Mapping) or "image" not in prepared:
        raise UsageError(f"{name}: preparation must return one dictionary with image per case")
    entries = cast("Mapping[str, Any]", prepared)
    packed = {
        key: _volume(name, key, value) if key in VOLUMES else _entry(name, key, value)
        for key, value in entries.items()
        if not key.endswith(METADATA)
    }
    _check_shapes(name, packed)
    for array in arrays_in(packed):
        array.setflags(write=False)
    return packed


def packed_bytes(packed: Packed) -> int:
    """Bytes of all arrays of a packed case."""
    return sum(array.nbytes for array in arrays_in(packed))


def _volume(name: str, key: str, value: Any) -> Array:
    where, array = f"{name}: {key}", array_of(value)
    if array.ndim < 2 or array.size == 0:
        raise DataError(f"{where} must be (C, *spatial) with voxels, got shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise DataError(f"{where} must hold real numbers, got {array.dtype}")
    return _label(where, array) if key == "label" else _image(where, key, array)


def _image(where: str, key: str, array: Array) -> Array:
    low, high = float(array.min()), float(array.max())
    if key == "image" and array.dtype.kind in "biu" and low >= -(2**15) and high < 2**15:
        return np.array(array, np.int16, order="C")
    if np.isnan(low):
        raise DataError(f"{where} holds NaN after preparation; repair or leave out the case")
    if max(-low, high) > LARGEST_FLOAT16:
        largest = high if high > -low else low
        raise DataError(
            f"{where} reaches {largest:g}, but is stored as float16, whose maximum is "
            f"{LARGEST_FLOAT16:g}; scale the intensities in the preparation"
        )
    return np.array(array, np.float16, order="C")


def _label(where: str, array: Array) -> Array:
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high < 2**16):
        wrong = high if high >= 2**16 else low
        raise DataError(f"{where} holds {wrong:g}; classes are whole numbers from 0 to 65535")
    label = np.array(array, np.uint8 if high < 2**8 else np.uint16, order="C")
    if array.dtype.kind == "f" and not np.array_equal(label, array):
        wrong = float(array[label != array][0])
        raise DataError(f"{where} holds {wrong:g}; resample labels by nearest neighbour")
    return label


def _entry(name: str, key: str, value: Any) -> Any:
    try:
        return plain(value)
    except TypeError as error:
        raise UsageError(
            f"{name}: preparation leaves {key}, {error}, which cannot be cached; "
            "add DeleteItemsd at the end of the preparation"
        ) from error


def _check_shapes(name: str, packed: Packed) -> None:
    shapes = {key: packed[key].shape for key in VOLUMES if key in packed}
    if len({shape[1:] for shape in shapes.values()}) > 1:
        listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
        raise DataError(
            f"{name}: shapes differ after preparation: {listed}; repair or leave out the case"
        )
    wide = next((key for key, shape in shapes.items() if key != "image" and shape[0] != 1), None)
    if wide:
        raise DataError(f"{name}: {wide} must be (1, *spatial), got {shapes[wide]}")
