"""Choice: one number or word of a plan, with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Choice", "as_text", "lengths"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A value and why it is that.

    Attributes:
        key: Of `train.yaml`, as in `KEY=VALUE`.
        value: What is written.
        why: The rule, in a sentence.
        evidence: What the rule saw in the data or on this machine.
        changes: What would change it.
    """

    key: str
    value: Any
    why: str
    evidence: str
    changes: str


def as_text(values: Iterable[float], unit: str = "") -> str:
    """Numbers along the axes, e.g. `36x50x35` or `1x1x3.3 mm`."""
    text = "x".join(f"{value:.3g}" if value < 1000 else f"{value:.0f}" for value in values)
    return f"{text} {unit}".rstrip()


def lengths(kind: str) -> str:
    """The unit of lengths: of volumes millimetres, of pictures pixels."""
    return "mm" if kind == "volume" else "pixels"
