"""Argument checks of the losses: each error names loss, argument and value."""

from typing import Any, Literal, get_args

from medseg._checks import require_choice, require_positive
from medseg.errors import UsageError

__all__ = [
    "Average",
    "Classes",
    "require_counting",
    "require_ignore_index",
]

Average = Literal["batch", "case"]
Classes = Literal["all", "foreground"]


def require_counting(
    owner: str, average: str, classes: str, ignore_index: Any, **small: float
) -> None:
    """Check the arguments that all overlap losses share.

    Args:
        owner: Name of the loss.
        average: An `Average`.
        classes: A `Classes`.
        ignore_index: A whole number or None.
        small: Name and value of the smoothing term, such as `smooth` or `eps`.

    Raises:
        UsageError: If one of them is not as described.
    """
    require_choice(f"{owner}: average", average, get_args(Average))
    require_choice(f"{owner}: classes", classes, get_args(Classes))
    require_ignore_index(owner, ignore_index)
    for name, value in small.items():
        require_positive(f"{owner}: {name}", value)


def require_ignore_index(owner: str, ignore_index: Any) -> None:
    """Refuse what is neither a whole number nor None."""
    if ignore_index is not None and (
        isinstance(ignore_index, bool) or not isinstance(ignore_index, int)
    ):
        raise UsageError(
            f"{owner}: ignore_index must be a whole number or None, got {ignore_index!r}"
        )
