"""Lettering of pictures: a font for most scripts, and text that is wrapped or shortened to fit.

DejaVu Sans, which comes with matplotlib, has Latin, Greek, Cyrillic, Arabic and Hebrew letters.
A letter that it lacks is written as its code: a box would be the same for all of them.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import ImageFont

__all__ = ["drawable", "font", "shortened", "width_of", "wrapped"]

Font = Any
_FILE = "mpl-data/fonts/ttf/DejaVuSans.ttf"
# A code point that no font has.
_NO_CHARACTER = "\uffff"


@lru_cache
def font(size: int) -> Font:
    """The font in a size in pixels; Pillow's own, for Latin letters, if matplotlib's is gone."""
    places = (find_spec("matplotlib") or find_spec("PIL")).submodule_search_locations  # pyright: ignore[reportOptionalMemberAccess]
    files = [Path(place) / _FILE for place in places or ()]
    there = next((file for file in files if file.is_file()), None)
    return ImageFont.load_default(size) if there is None else ImageFont.truetype(there, size)


def drawable(text: str) -> str:
    r"""The text with letters that the font lacks, and control characters, as `\u4e2d`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if _has(one) else _code(one) for one in text)


def width_of(text: str, size: int) -> float:
    """Width of a line in pixels."""
    return font(size).getlength(text)


def wrapped(text: str, size: int, width: float, most: int = 20) -> list[str]:
    """The text in lines that fit into `width` pixels, at most `most`; the last may end in dots."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size) <= width:
            lines[-1] = longer
        else:
            lines += _broken(word, size, width)
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened(" ".join(lines[most - 1 :]), size, width)]
    return lines


def shortened(text: str, size: int, width: float) -> str:
    """The text, without its middle if it is wider than `width` pixels."""
    if width_of(text, size) <= width:
        return text
    kept = len(text)
    while kept > 2 and width_of(_without_middle(text, kept), size) > width:
        kept -= 1
    return _without_middle(text, kept)


def _without_middle(text: str, kept: int) -> str:
    return f"{text[: (kept + 1) // 2]}\u2026{text[len(text) - kept // 2 :]}"


def _broken(word: str, size: int, width: float) -> list[str]:
    """A word that is wider than a line, in parts that are not."""
    parts = [""]
    for letter in word:
        if parts[-1] and width_of(parts[-1] + letter, size) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _has(letter: str) -> bool:
    if letter == " " or (letter.isascii() and letter.isprintable()):
        return True
    return letter.isprintable() and _bitmap(letter) != _bitmap(_NO_CHARACTER)


@lru_cache(maxsize=512)
def _bitmap(letter: str) -> tuple[Any, bytes]:
    mask = font(20).getmask(letter)
    return mask.size, bytes(mask)


def _code(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
