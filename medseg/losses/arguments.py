"""Argument checks of the losses: one-line errors with loss, argument and value.

Values come from configs: `1e-5` is a string in YAML, and would otherwise raise a TypeError deep
inside a loss.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from medseg.errors import UsageError

__all__ = [
    "Average",
    "Classes",
    "require_choice",
    "require_counting",
    "require_ignore_index",
    "require_not_negative",
    "require_positive",
    "require_weights",
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


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is not among the choices."""
    if value not in choices:
        raise UsageError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def require_positive(name: str, value: Any) -> None:
    """Refuse what is not a finite number above 0."""
    if not (_is_finite(value) and value > 0):
        raise UsageError(f"{name} must be a finite number above 0, got {value!r}")


def require_not_negative(name: str, value: Any) -> None:
    """Refuse what is not a finite number of at least 0."""
    if not (_is_finite(value) and value >= 0):
        raise UsageError(f"{name} must be a finite number of at least 0, got {value!r}")


def require_weights(name: str, values: Sequence[Any]) -> None:
    """Refuse weights that are negative, not finite, or 0 together."""
    for i, value in enumerate(values):
        require_not_negative(f"{name}[{i}]", value)
    if not sum(values) > 0:
        raise UsageError(f"{name} must have one above 0, got {list(values)}")


def _is_finite(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)
