"""Lenient, silent reading of DICOM header values.

pydicom validates values on conversion, and warns, quoting the value, about what many scanners
write: decimal strings of more than 16 characters, numbers with blanks. Here the raw bytes are used.
"""

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from math import isfinite
from typing import Any, cast

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from medseg._quiet import quiet_loggers, quiet_warnings

__all__ = [
    "ElementError",
    "first_text",
    "lenient_number",
    "numbers",
    "quiet_pydicom",
    "sequence",
    "texts",
    "whole_number",
]

# Excludes what Python also accepts as numbers: nan, infinity, underscores.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class ElementError(ValueError):
    """An element whose value cannot be used; the message names the element and not its value."""


@contextmanager
def quiet_pydicom() -> Generator[None]:
    """Suppress pydicom's and highdicom's warnings and log lines: they quote values and names."""
    with quiet_loggers("pydicom", "highdicom"), quiet_warnings():
        yield


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    r"""Values of a text element, split at `\`; empty if it is absent or has no value."""
    tag = cast("int", tag_for_keyword(keyword))
    element = cast("Any", dataset.get_item(tag))
    value = None if element is None else element.value
    if not value:
        return ()
    if isinstance(value, bytes):
        text = value.decode("ascii", "replace")
    elif isinstance(value, str):
        text = value
    else:
        text = "\\".join(map(str, cast("Iterable[object]", value)))
    return tuple(part.strip(" \0") for part in text.split("\\"))


def first_text(dataset: Dataset, keyword: str) -> str:
    """First value of a text element, or an empty string."""
    return (texts(dataset, keyword) or ("",))[0]


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Values of a decimal string, of any length; None if it is absent or empty.

    Raises:
        ElementError: If it does not hold `count` numbers. It does not quote them.
    """
    values = texts(dataset, keyword)
    if not any(values):
        return None
    if len(values) == count and all(NUMBER.fullmatch(text) for text in values):
        found = tuple(map(float, values))
        if all(map(isfinite, found)):
            return found
    # 1,024 may mean a little more than one, or a thousand and more.
    comma = ", it has decimal commas" if any("," in text for text in values) else ""
    noun = "a number" if count == 1 else f"{count} numbers"
    raise ElementError(f"{keyword} must be {noun}{comma}")


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """Value of an integer string; None if it is absent or empty.

    Raises:
        ElementError: If it is not a whole number. It does not quote it.
    """
    values = numbers(dataset, keyword, 1)
    if values is not None and not values[0].is_integer():
        raise ElementError(f"{keyword} must be a whole number")
    return None if values is None else int(values[0])


def lenient_number(dataset: Dataset, keyword: str) -> int | None:
    """A whole number that nothing depends on; None for any other value."""
    try:
        number = whole_number(dataset, keyword)
    except ElementError:
        return None
    return number if number is not None and abs(number) < 2**31 else None


def sequence(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Items of a sequence; empty if it is absent."""
    return tuple(cast("Iterable[Dataset]", dataset.get(keyword) or ()))
