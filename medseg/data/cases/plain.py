"""Nested values (numbers, text, small arrays) in one plain form, as JSON plus a list of arrays.

They are brought into one form (arrays for tensors, lists for tuples), so that they are the same
whether a case waits in memory or on disk, and for the disk into JSON and a list of arrays.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["array_of", "arrays_in", "join_arrays", "plain", "split_arrays"]

Array = NDArray[Any]


def array_of(value: Any) -> Array:
    """A tensor of any device, or whatever numpy takes, as an array; its memory where possible."""
    # Without importing torch, which the rest of medseg.data does not need.
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def plain(value: Any) -> Any:
    """Bring a value into the one form that is kept.

    Args:
        value: Numbers, text, paths, arrays, tensors, and mappings and sequences of them.

    Returns:
        The same of `None`, `bool`, `int`, `float`, `str`, arrays (copies), `list`, `dict`.

    Raises:
        TypeError: If there is something else in it; says what.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return {_key(key): plain(part) for key, part in entries.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in cast("Sequence[Any]", value)]
    return _plain_array(value)


def _key(key: object) -> str | int:
    found = cast("object", key.item()) if isinstance(key, np.generic) else key
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise TypeError(f"a dictionary with a key of type {type(found).__name__}")
    return found


def _plain_array(value: Any) -> Any:
    array = array_of(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"type {type(value).__name__}")
    return array.item() if isinstance(value, np.generic) else np.array(array, order="C")


def arrays_in(value: Any) -> Iterator[Array]:
    """All arrays of a plain value."""
    if isinstance(value, np.ndarray):
        yield cast("Array", value)
    elif isinstance(value, dict | list):
        nested = cast("dict[Any, Any] | list[Any]", value)
        for part in nested.values() if isinstance(nested, dict) else nested:
            yield from arrays_in(part)


def split_arrays(value: Any, arrays: list[Array]) -> Any:
    """Turn a plain value into what JSON can hold; arrays are put into `arrays`."""
    if isinstance(value, np.ndarray):
        arrays.append(cast("Array", value))
        return {"array": len(arrays) - 1}
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        # As pairs: JSON's keys are text only, those of a dictionary by class are numbers.
        return {"dict": [[key, split_arrays(part, arrays)] for key, part in entries.items()]}
    if isinstance(value, list):
        return [split_arrays(part, arrays) for part in cast("list[Any]", value)]
    return value


def join_arrays(node: Any, arrays: Sequence[Array]) -> Any:
    """Undo `split_arrays`."""
    if isinstance(node, list):
        return [join_arrays(part, arrays) for part in cast("list[Any]", node)]
    if isinstance(node, dict):
        found = cast("dict[str, Any]", node)
        if "array" in found:
            return arrays[int(found["array"])]
        return {key: join_arrays(part, arrays) for key, part in found["dict"]}
    return node
