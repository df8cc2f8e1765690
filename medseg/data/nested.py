"""Nested values as JSON, their arrays beside it: dictionaries and lists of numbers, text, arrays.

A training's checkpoint keeps its state in this form, tensors beside; a disk cache what a prepared
case has besides its volumes. A case is first made plain (arrays for tensors, lists for tuples), so
that it is the same whether it waits in memory or on disk.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["array_of", "arrays_in", "join_arrays", "plain", "split_arrays"]

Array = NDArray[Any]


def split_arrays(value: Any, arrays: list[Any]) -> Any:
    """Turn a value into what JSON can hold.

    Args:
        value: `None`, `bool`, numbers, text, arrays, tensors, and lists, tuples and dictionaries
            of them; keys are text or whole numbers.
        arrays: Filled with the arrays and tensors, in order.

    Raises:
        TypeError: If there is something else in it; says what.
    """
    # Tensors are known by what they can do: the rest of medseg.data does not need torch.
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
    """Undo `split_arrays`; numpy's numbers have become Python's.

    Raises:
        ValueError: If the node is not one that `split_arrays` makes.
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
    """Bring a value into the one form in which cases are kept.

    Args:
        value: Numbers, text, paths, arrays, tensors, and mappings and sequences of them.

    Returns:
        The same of `None`, `bool`, `int`, `float`, `str`, arrays (copies), `list`, `dict`.

    Raises:
        TypeError: If there is something else in it; says what.
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
    """A tensor of any device, or whatever numpy takes, as an array; its memory where possible."""
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
