"""Kind of a config value: whether it fits an argument's annotation, and the annotation in words."""

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Union, cast, get_args, get_origin

import yaml

__all__ = ["fits", "is_part", "says_something", "shown", "words"]

_UNIONS = (Union, types.UnionType)
_SEQUENCES = (Sequence, Iterable, list, tuple, set, frozenset)
_PLAIN = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value fits an annotation.

    Args:
        value: Plain data: text, number, list, mapping, None.
        hint: As `get_type_hints` returns it.

    Returns:
        True for annotations of which plain data cannot say: Any, type variables.
    """
    origin = get_origin(hint)
    if origin in _UNIONS:
        return any(fits(value, part) for part in get_args(hint))
    if origin is Literal:
        return any(value == word and type(value) is type(word) for word in get_args(hint))
    if hint in (None, types.NoneType):
        return value is None
    if hint in _PLAIN:
        return _is_plain(value, hint)
    if _is_path(hint):
        return isinstance(value, str | PathLike)
    if (origin or hint) in _SEQUENCES:
        return isinstance(value, list | tuple) and _items_fit(cast("list[Any]", value), hint)
    if (origin or hint) in (Mapping, dict):
        return isinstance(value, Mapping)
    return not is_part(hint)


def words(hint: Any) -> str:
    """An annotation in words: `a whole number or null`."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in _UNIONS:
        parts = sorted(inside, key=lambda part: part is types.NoneType)
        return " or ".join(dict.fromkeys(words(part) for part in parts))
    if origin is Literal:
        return f"one of {', '.join(map(str, inside))}"
    if hint in (None, types.NoneType):
        return "null"
    if hint in _PLAIN:
        return _PLAIN[hint]
    if _is_path(hint):
        return "text"
    if (origin or hint) in _SEQUENCES:
        return f"a list{_of(inside)}"
    if (origin or hint) in (Mapping, dict):
        return "keys and values"
    return "a part, {_target_: ...}"


def is_part(hint: Any) -> bool:
    """Whether only a component can be it: an object of a class, or something to call."""
    if (get_origin(hint) or hint) is Callable:
        return True
    if not isinstance(hint, type) or hint in _PLAIN or _is_path(hint):
        return False
    return hint not in (Any, object) and hint.__module__ not in ("typing", "collections.abc")


def says_something(hint: Any) -> bool:
    """Whether an annotation refuses anything, as Any and Hashable do not."""
    return not fits(object(), hint)


def shown(value: Any) -> str:
    """A value as it is written in YAML, shortened."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    except yaml.YAMLError:
        text = repr(value)
    text = text.removesuffix("\n").removesuffix("\n...")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_plain(value: Any, hint: type) -> bool:
    if hint is bool or isinstance(value, bool):  # True is 1, but surely a mistake elsewhere
        return hint is bool and isinstance(value, bool)
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def _is_path(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Path)


def _items_fit(items: Sequence[Any], hint: Any) -> bool:
    inside = get_args(hint)
    if not inside:
        return True
    if get_origin(hint) is tuple and inside[-1] is not Ellipsis:
        return len(items) == len(inside) and all(map(fits, items, inside))
    return all(_is_open(item) or fits(item, inside[0]) for item in items)


def _is_open(item: Any) -> bool:
    """Whether an item is known only when the config is built."""
    if isinstance(item, Mapping):
        return "_target_" in item
    return isinstance(item, str) and item.startswith(("@", "$", "%"))


def _of(inside: tuple[Any, ...]) -> str:
    inner = inside[0] if inside else Any
    if inner in _PLAIN and inner is not bool:
        return f" of {_PLAIN[inner].removeprefix('a ')}s"
    return ""
