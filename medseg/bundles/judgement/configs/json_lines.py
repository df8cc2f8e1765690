"""Lines of the keys of a JSON text, for the places of a judgement."""

import json
import re
from collections.abc import Iterator

__all__ = ["json_lines"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def json_lines(text: str) -> dict[tuple[str, ...], int]:
    """Lines of a JSON text's values, from 1, by the path of their keys.

    Args:
        text: Valid JSON.

    Returns:
        The line on which a key's name begins, or a value in a list; names of keys are as they are
        written, positions in lists are decimal digits.
    """
    lines: dict[tuple[str, ...], int] = {}
    line, after = 1, 0
    for path, start in _starts(text):
        line += text.count("\n", after, start)
        after = start
        lines[path] = line
    return lines


def _starts(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Path and place of each key's name in a mapping, and of each value in a list."""
    path: list[str | int] = []
    # Whether the next token is a key's name, or a value of a list.
    begins = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if begins and token not in "]}":
            if isinstance(path[-1], str):
                path[-1] = json.loads(token)
            yield tuple(map(str, path)), match.start()
            begins = False
        if token in "{[":
            path.append(0 if token == "[" else "")
            begins = True
        elif token in "}]":
            path.pop()
            begins = False
        elif token == ",":
            if isinstance(path[-1], int):
                path[-1] += 1
            begins = True
