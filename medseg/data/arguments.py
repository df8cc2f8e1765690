"""Checks of arguments, in one wording."""

from operator import index

from medseg.errors import UsageError

__all__ = ["whole_number"]


def whole_number(name: str, value: object, least: int) -> int:
    """A whole number that is large enough, as Python's own.

    Raises:
        UsageError: If it is anything else.
    """
    # bool counts as a whole number in Python, and is surely a mistake here.
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise UsageError(f"{name} must be a whole number from {least}, got {value!r}")
    number = index(value)  # pyright: ignore[reportArgumentType] - it has __index__
    if number < least:
        raise UsageError(f"{name} must be a whole number from {least}, got {number}")
    return number
