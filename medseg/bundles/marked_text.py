"""Marked text: recipes and common parts that a config copies between two marker lines.

`medseg bundle sync` fills the configs of a repository from its own `transforms/` and
`bundles/common.yaml`; the writer of new bundles fills its configs from the copies in the package.
"""

import re
from collections.abc import Callable

from medseg.errors import UsageError

__all__ = ["filled"]

_COPY = re.compile(
    r"(?P<head>^# --- recipe (?P<recipe>\w+): (?P<keys>\w+(?:, \w+)*)[^\n]*\n)(?P<text>.*?)"
    r"(?P<foot>^# --- end of recipe$)",
    re.MULTILINE | re.DOTALL,
)
_PART = re.compile(
    r"(?P<head>^# --- part (?P<part>\w+)[^\n]*\n)(?P<text>.*?)(?P<foot>^# --- end of part$)",
    re.MULTILINE | re.DOTALL,
)


def filled(config: str, recipe_text: Callable[[str], str], common: str, *, origin: str) -> str:
    """A config with the text of its recipe and common parts between their markers.

    Args:
        config: Its text.
        recipe_text: Gives the text of a recipe by its name; its errors are raised.
        common: Text with all common parts, between their own markers.
        origin: Where `common` stands, for the error.

    Raises:
        UsageError: If a part or a section has no original.
    """
    parts = {match["part"]: match["text"] for match in _PART.finditer(common)}

    def recipe(match: re.Match[str]) -> str:
        name, keys = match["recipe"], match["keys"].split(", ")
        text = recipe_text(name)
        return match["head"] + "".join(_section(name, text, key) for key in keys) + match["foot"]

    def part(match: re.Match[str]) -> str:
        if match["part"] not in parts:
            raise UsageError(f"{origin}: no part {match['part']}, but a bundle copies it")
        return match["head"] + parts[match["part"]] + match["foot"]

    return _PART.sub(part, _COPY.sub(recipe, config))


def _section(recipe: str, text: str, key: str) -> str:
    # From the key's line to the next key or comment in the first column.
    match = re.search(rf"^{key}:.*\n(?:(?:[ \t-].*)?\n)*", text, re.MULTILINE)
    if match is None:
        raise UsageError(f"transforms/{recipe}.yaml: no key {key}, but a bundle copies it")
    return match[0].rstrip("\n") + "\n"
