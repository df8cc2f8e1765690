"""Argument check: whole numbers with a lower bound."""

from operator import index

from medseg.errors import UsageError

__all__ = ["whole_number"]


def whole_number(name: str, value: object, least: int) -> int:
    """Check that a value is a whole number of at least `least`; return it as `int`.

    Raises:
        UsageError: If it is not.
    """
    # bool is a subclass of int in Python, but surely a mistake here.
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise UsageError(f"{name} must be a whole number from {least}, got {value!r}")
    number = index(value)  # pyright: ignore[reportArgumentType] - it has __index__
    if number < least:
        raise UsageError(f"{name} must be a whole number from {least}, got {number}")
    return number
