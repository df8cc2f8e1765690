"""Sizes of a config's values: texts, keys and depths that no honest config has."""

import re
from typing import Any, cast

from medseg.bundles.judgement.configs.syntax import MOST_CHARACTERS
from medseg.bundles.plain_yaml import MOST_LEVELS, MOST_VALUES
from medseg.errors import UsageError

__all__ = ["children", "require_size"]

_HALF = re.compile("[\ud800-\udfff]")
_MOST_KEY = 1_000


def require_size(content: Any, path: str) -> None:
    """Refuse what is too large to be judged, or is one thing to us and another to MONAI.

    Args:
        content: Plain data.
        path: Of its file, for the error.

    Raises:
        UsageError: The message begins with the path.
    """
    waiting: list[tuple[Any, int]] = [(content, 1)]
    seen = 0
    while waiting:
        value, level = waiting.pop()
        keys = list(cast("dict[Any, Any]", value)) if isinstance(value, dict) else []
        problem = _text_problem(value) if isinstance(value, str) else _key_problem(keys)
        if problem:
            raise UsageError(f"{path}: {problem}")
        seen += 1
        if seen > MOST_VALUES or level > MOST_LEVELS:
            raise UsageError(f"{path}: too many values, or nested too deeply; is no config")
        waiting.extend((child, level + 1) for child in children(value))


def children(value: Any) -> list[Any]:
    """The values of a mapping or list; none of others."""
    if isinstance(value, dict):
        return list(cast("dict[Any, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text_problem(text: str) -> str | None:
    if _HALF.search(text):
        return "half a letter (a lone surrogate), which no text has"
    # It is searched for ids before it is read, more than once.
    if len(text) > MOST_CHARACTERS and text.startswith(("$", "%", "@")):
        return f"an expression longer than {MOST_CHARACTERS:,} characters"
    return None


def _key_problem(keys: list[Any]) -> str | None:
    names = list(map(str, keys))
    if len(set(names)) < len(names):
        return "two keys that are one to MONAI, such as 1 and '1'"
    if any(len(name) > _MOST_KEY for name in names):
        return f"a key longer than {_MOST_KEY:,} characters"
    return next(filter(None, map(_text_problem, names)), None)
