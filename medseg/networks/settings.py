"""Settings in the header of weights: which values each can have.

Headers come from anywhere, and a setting goes into a config as it is: a patch of a million voxels
along each axis would take all memory.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from medseg.errors import DataError

__all__ = ["checked_setting"]

_LARGEST_PATCH = 2**14
_MOST_CLASSES = 65536
_MOST_AXES = 3


def checked_setting(path: str | Path, name: str, value: Any) -> Any:
    """A setting of the weights at `path`, if it can be one of that name.

    Settings of other names, which only their own bundle knows, are returned as they are.

    Raises:
        DataError: If it cannot.
    """
    kind = _KINDS.get(name)
    if kind is None or kind[0](value):
        return value
    shown = repr(value)
    raise DataError(
        f"{path}: its setting {name} must be {kind[1]}, got {shown[:60]}; save the weights with "
        "medseg"
    )


def _is_list(value: Any, able: Callable[[Any], bool], least: int, most: int) -> bool:
    if not isinstance(value, list):
        return False
    items = cast("list[Any]", value)
    return least <= len(items) <= most and all(map(able, items))


def _is_number(value: Any) -> bool:
    # Python's own division fails for a whole number of 400 digits.
    return type(value) in (int, float) and abs(value) < 1e15 and math.isfinite(value)


def _is_length(value: Any) -> bool:
    return _is_number(value) and 1e-6 <= value <= 1e6


def _is_patch_side(value: Any) -> bool:
    return type(value) is int and 1 <= value <= _LARGEST_PATCH


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _are_classes(value: Any) -> bool:
    return _is_list(value, _is_name, 1, _MOST_CLASSES) and len(set(value)) == len(value)


def _is_window(value: Any) -> bool:
    return value is None or (_is_list(value, _is_number, 2, 2) and value[0] != value[1])


def _are_lengths(value: Any) -> bool:
    return value is None or _is_list(value, _is_length, 1, _MOST_AXES)


def _is_patch(value: Any) -> bool:
    return _is_list(value, _is_patch_side, 1, _MOST_AXES)


# By name: whether a value can be one, and what it must be in words.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "class_names": (_are_classes, "a list of different names"),
    "spacing_mm": (_are_lengths, "a list of lengths in mm"),
    "pixel_size": (_are_lengths, "a list of factors"),
    "window": (_is_window, "two different numbers"),
    "patch_size": (_is_patch, f"a list of whole numbers from 1 to {_LARGEST_PATCH}"),
}
