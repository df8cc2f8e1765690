"""Texts of a config: those that lead out of the bundle, and those that hide what they say."""

import io
import re
import tokenize
import unicodedata

from medseg._text import printable

__all__ = ["hidden_letter", "leads_out", "shown", "strange_name"]

_DRIVE = re.compile(r"[A-Za-z]:")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//|$)|(file|data|sqlite|jdbc):", re.IGNORECASE)
_UP = re.compile(r"[. ]{2,}")
_PARTS = re.compile(r"[\\/]+")
_MOST_SHOWN = 160


def leads_out(text: str) -> str | None:
    """Where a text leads if it is used as a path, in words; None if it stays below where it starts.

    A relative path without `..` starts in the bundle's folder or the user's current one, or is no
    path at all.
    """
    if _ADDRESS.match(text):
        return "to another machine or store"
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        return "to a fixed place on the disk"
    if text.startswith("~"):
        return "to a user's home folder"
    # Windows drops dots and spaces at the end of a name, and so takes `.. ` for `..`.
    if any(_UP.fullmatch(part) for part in _PARTS.split(text)):
        return "out of its folder, by '..'"
    return None


def hidden_letter(text: str) -> str | None:
    """The first invisible letter of a text, as `U+202E (right-to-left override)`."""
    for letter in text:
        if not letter.isprintable() and letter not in "\n\t":
            return _named(letter)
    return None


def strange_name(source: str) -> str | None:
    """The first letter beyond ASCII of an expression outside its quoted texts, as above.

    Python reads a full-width `eval` as `eval`, and a Cyrillic `len` as another name than it looks.
    """
    if source.isascii():
        return None
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        tokens = []
    quoted = tokens and all(t.string.isascii() or t.type == tokenize.STRING for t in tokens)
    return None if quoted else _named(next(letter for letter in source if not letter.isascii()))


def _named(letter: str) -> str:
    name = unicodedata.name(letter, "control character").lower()
    return f"U+{ord(letter):04X} ({name})"


def shown(text: object) -> str:
    """A config's text for a reason: in one line, cut."""
    line = printable(" ".join(str(text).split()))
    return line if len(line) <= _MOST_SHOWN else f"{line[: _MOST_SHOWN - 3]}..."
