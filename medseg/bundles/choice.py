"""Words of a config that choose between parts of it."""

from collections.abc import Sequence

from medseg.errors import UsageError

__all__ = ["require_choice"]


def require_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a word that chooses nothing.

    A part of a config that is there only for one word, by `_disabled_`, would be left out
    at a slip of the pen without a word.

    Args:
        name: The config's key.
        value: Its value.
        choices: The words it may be.

    Raises:
        UsageError: If it is none of them.
    """
    if value not in choices:
        raise UsageError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
