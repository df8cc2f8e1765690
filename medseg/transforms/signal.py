"""No-signal level: the intensity that stands for zero MR signal."""

from math import isfinite
from typing import Literal

from torch import Tensor

from medseg.errors import UsageError

__all__ = ["NoSignal", "no_signal_level", "require_no_signal"]

NoSignal = float | Literal["darkest"]


def require_no_signal(name: str, given: object) -> NoSignal:
    """Validate a no-signal level.

    Raises:
        UsageError: If it is neither `darkest` nor a finite number.
    """
    if given == "darkest":
        return "darkest"
    if isinstance(given, int | float) and isfinite(given):
        return float(given)
    raise UsageError(f"{name} must be a finite number or darkest, got {given!r}")


def no_signal_level(image: Tensor, no_signal: NoSignal) -> float | Tensor:
    """The given level, or the least intensity of each channel for `darkest`.

    Args:
        image: `(C, *spatial)`.
        no_signal: See `require_no_signal`.

    Returns:
        A number, or `(C, 1, ..)` for as many axes as the image has.
    """
    if no_signal != "darkest":
        return no_signal
    return image.amin(tuple(range(1, image.ndim)), keepdim=True)
