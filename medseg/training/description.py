"""Description of a training's settings in plain values, and differences between two of them.

A training must not be resumed with changed settings: the result would belong to neither.
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
    """Describe a value as JSON: texts, numbers, lists, and objects by class and attributes.

    Dataclasses and objects of medseg and MONAI are described by their public attributes, which
    a config has given them; anything else, such as a function, by the name of its type.
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
    """List the differences of two descriptions, as `path was a, is b`."""
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
        attributes = [field.name for field in fields(thing)]
    else:
        attributes = list(cast("dict[str, Any]", vars(thing)))
    public = [key for key in attributes if not key.startswith("_")]
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
