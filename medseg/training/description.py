"""What a training is made of, in plain values, and how two such descriptions differ.

A training that is taken up with other settings is neither the old nor the new one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

import numpy as np

__all__ = ["described", "differences"]

# Deep enough for a Compose of transforms that hold transforms and ranges.
_DEPTH = 8


def described(thing: Any, depth: int = _DEPTH) -> Any:
    """A thing as JSON values: texts, numbers, lists, and objects by class and attributes.

    Of an object, what is public and plain is told, or is a part of the same package: what a
    config gave it. Functions and generators are told by their kind.
    """
    if isinstance(thing, Enum):
        return thing.value
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, np.generic | np.ndarray):
        return cast("Any", thing).tolist()
    if depth == 0:
        return type(thing).__name__
    if isinstance(thing, Mapping):
        items = cast("Mapping[Any, Any]", thing).items()
        return {str(key): described(value, depth - 1) for key, value in items}
    if isinstance(thing, list | tuple | set | frozenset):
        things = cast("list[Any]", thing)
        ordered = sorted(things, key=str) if isinstance(thing, set | frozenset) else things
        return [described(value, depth - 1) for value in ordered]
    return _object(thing, depth)


def differences(old: Any, new: Any) -> list[str]:
    """Where two descriptions differ, as `path was a, is b`."""
    before, after = dict(_leaves(old, "")), dict(_leaves(new, ""))
    paths = [*before, *(path for path in after if path not in before)]
    absent = "absent"
    return [
        f"{path} was {before.get(path, absent)}, is {after.get(path, absent)}"
        for path in paths
        if before.get(path, absent) != after.get(path, absent)
    ]


def _object(thing: Any, depth: int) -> Any:
    name = type(thing).__name__
    if not is_dataclass(thing) and not type(thing).__module__.startswith(("medseg.", "monai.")):
        return name
    if is_dataclass(thing):
        known = [field.name for field in fields(thing)]
    else:
        known = list(cast("dict[str, Any]", vars(thing)))
    public = [key for key in known if not key.startswith("_")]
    return {name: {key: described(getattr(thing, key), depth - 1) for key in public}}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, child in cast("Mapping[str, Any]", value).items():
            yield from _leaves(child, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple) and value:
        for index, child in enumerate(cast("list[Any]", value)):
            yield from _leaves(child, f"{path}[{index}]")
    else:
        yield path, repr(cast("Any", value))
