"""The maps that can be written beside a label, by their words."""

from typing import Literal

__all__ = ["MapKind"]

MapKind = Literal["probabilities", "entropy"]
