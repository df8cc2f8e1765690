"""Nested values (numbers, text, arrays) as JSON plus a list of arrays.

A training's checkpoint stores its state in this form; a disk cache stores what a prepared case has
besides its volumes. A case is first brought into one plain form (arrays for tensors, lists for
tuples), so that it is the same whether it is kept in memory or on disk.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["array_of", "arrays_in", "join_arrays", "plain", "split_arrays"]

Array = NDArray[Any]


def split_arrays(value: Any, arrays: list[Any]) -> Any:
    """Convert a value to JSON values, its arrays replaced by their index.

    Args:
        value: `None`, `bool`, numbers, text, arrays, tensors, and lists, tuples and dictionaries
            of them; keys are text or whole numbers.
        arrays: The arrays and tensors are appended to it, in order.

    Raises:
        TypeError: If it contains anything else; it names the type.
    """
    # Tensors are recognised by a method, since the rest of medseg.data does not need torch.
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        # As pairs: JSON's keys are text only, those of a dictionary by class are numbers.
        return {"dict": [[_key(key), split_arrays(part, arrays)] for key, part in entries.items()]}
    if isinstance(value, list | tuple):
        parts = [split_arrays(part, arrays) for part in cast("Sequence[Any]", value)]
        return {"tuple": parts} if isinstance(value, tuple) else parts
    return _scalar(value)


def join_arrays(node: Any, arrays: Sequence[Any]) -> Any:
    """Undo `split_arrays`, except that numpy numbers become Python's.

    Raises:
        ValueError: If the node is not a result of `split_arrays`.
    """
    if isinstance(node, list):
        return [join_arrays(part, arrays) for part in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    ((kind, content),) = cast("dict[str, Any]", node).items()
    if kind == "array":
        return arrays[int(content)]
    if kind == "tuple":
        return tuple(join_arrays(part, arrays) for part in content)
    if kind == "dict":
        return {key: join_arrays(part, arrays) for key, part in content}
    raise ValueError(f"a nested value holds an unknown kind {kind!r}")


def plain(value: Any) -> Any:
    """Convert a value to the plain form in which cases are kept.

    Args:
        value: Numbers, text, paths, arrays, tensors, and mappings and sequences of them.

    Returns:
        The same, made of `None`, `bool`, `int`, `float`, `str`, arrays (copies), `list`, `dict`.

    Raises:
        TypeError: If it contains anything else; it names the type.
    """
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return {_key(key): plain(part) for key, part in entries.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in cast("Sequence[Any]", value)]
    is_scalar = value is None or isinstance(value, bool | int | float | str | np.generic)
    return _scalar(cast("object", value)) if is_scalar else _plain_array(value)


def arrays_in(value: Any) -> Iterator[Array]:
    """All arrays of a plain value."""
    if isinstance(value, np.ndarray):
        yield cast("Array", value)
    elif isinstance(value, dict | list):
        nested = cast("dict[Any, Any] | list[Any]", value)
        for part in nested.values() if isinstance(nested, dict) else nested:
            yield from arrays_in(part)


def array_of(value: Any) -> Array:
    """Convert a tensor of any device, or an array-like, to an array; without a copy if possible."""
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _plain_array(value: Any) -> Array:
    array = array_of(value)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"type {type(value).__name__}")
    return np.array(array, order="C")


def _key(key: object) -> str | int:
    found = _unwrapped(key)
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise TypeError(f"a dictionary with a key of type {type(found).__name__}")
    return found


def _scalar(value: object) -> Any:
    found = _unwrapped(value)
    if found is None or isinstance(found, bool | int | float | str):
        return found
    raise TypeError(f"type {type(value).__name__}")


def _unwrapped(value: object) -> object:
    return cast("object", value.item()) if isinstance(value, np.generic) else value
