"""Markdown as GitHub renders it: tables, and text in which nothing is markup."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from medseg._text import printable

__all__ = ["code", "code_block", "escaped", "file_link", "table"]

# Markup within a line; `$` begins a formula and `<` a tag on GitHub.
_MARKUP = re.compile(r"([\\|<>*\[\]`~$])")
# An underscore within a word is no markup, and names of metrics and keys are full of them.
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def escaped(text: str) -> str:
    """Text that reads as it is written, also in a cell of a table."""
    return _UNDERSCORE.sub(r"\\_", _MARKUP.sub(r"\\\1", printable(text)))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A table; its cells are Markdown already.

    Args:
        columns: Headings.
        rows: Cells, as many as columns.
        words: Columns from the left that hold words; the others are numbers, set to the right.
    """
    rule = ["---" if place < words else "---:" for place in range(len(columns))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, rule, *rows))


def code(text: str) -> str:
    """Code within a line, not in a table, where a `|` would end the cell."""
    fence = _fence(text, 1)
    blank = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{blank}{printable(text)}{blank}{fence}"


def code_block(text: str, language: str = "") -> str:
    """A block of code, whatever backticks are in it."""
    fence = _fence(text, 3)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def file_link(text: str, path: str) -> str:
    """A link to a file beside the page, by its relative path."""
    return f"[{escaped(text)}]({quote(path, safe='/=,')})"


def _fence(text: str, least: int) -> str:
    """More backticks than the text has in a row."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(least, longest + 1)
