"""Direction of a score: which is better, more or less, and within which bounds."""

from typing import Literal

__all__ = ["bounds", "sign"]

# Without their units, which are mm or pixels.
LOWER_IS_BETTER = ("assd", "hd95", "volume_error")
SHARES = {
    "accuracy",
    "dsc",
    "f1",
    "iou",
    "lesion_f1",
    "nsd",
    "pq",
    "precision",
    "recall",
    "seg",
    "sq",
}


def sign(score: str) -> Literal[1, -1]:
    """1 if more is better, as of any metric that is not named here; -1 if less is."""
    return -1 if score.startswith(LOWER_IS_BETTER) else 1


def bounds(score: str) -> tuple[float, float]:
    """Lowest and highest value that a metric can have."""
    return (0.0, 1.0) if score in SHARES else (-float("inf"), float("inf"))
