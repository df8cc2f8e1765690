"""Values of DICOM headers, read leniently and in silence.

pydicom checks values as it converts them, and warns, with the value in the text, of what many
scanners write: decimal strings of more than 16 characters, numbers with blanks. The bytes are
taken as they are here.
"""

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, cast

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from medseg._quiet import quiet_loggers, quiet_warnings

__all__ = ["first_text", "numbers", "quiet_pydicom", "sequence", "texts", "whole_number"]

# Neither words that Python takes for numbers (nan, infinity) nor its underscores.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@contextmanager
def quiet_pydicom() -> Generator[None]:
    """Keep pydicom's and highdicom's warnings and log lines back: they quote values, and names."""
    with quiet_loggers("pydicom", "highdicom"), quiet_warnings():
        yield


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    r"""The values of a text element, split at `\`; empty if it is absent or has no value."""
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
    """The first value of a text element, or an empty text."""
    return (texts(dataset, keyword) or ("",))[0]


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """The values of a decimal string, of any length; None if it is absent or empty.

    Raises:
        ValueError: If there are others than `count` numbers. It does not quote them.
    """
    found = texts(dataset, keyword)
    if not any(found):
        return None
    if len(found) != count or not all(NUMBER.fullmatch(text) for text in found):
        raise ValueError(f"{keyword} must be {count} numbers")
    return tuple(map(float, found))


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """The value of an integer string; None if it is absent or empty.

    Raises:
        ValueError: If it is no whole number. It does not quote it.
    """
    found = numbers(dataset, keyword, 1)
    if found is not None and not found[0].is_integer():
        raise ValueError(f"{keyword} must be a whole number")
    return None if found is None else int(found[0])


def sequence(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence, none if it is absent."""
    return tuple(cast("Iterable[Dataset]", dataset.get(keyword) or ()))
