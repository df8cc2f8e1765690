"""Texts of a config: each with the key that it stands under."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["config_texts"]


def config_texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Each text in a value of plain data, with its key.

    Args:
        value: A config, or a part of it.
        key: Of the value itself. What stands in a list has the key of the list.
    """
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, child in cast("Mapping[object, Any]", value).items():
            yield from config_texts(child, str(name))
    elif isinstance(value, list):
        for child in cast("list[Any]", value):
            yield from config_texts(child, key)
