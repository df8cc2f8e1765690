"""Metrics of training logs: the set that they are of, and whether high or low is better."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from medseg.errors import UsageError

__all__ = ["Better", "Directions", "Measured", "chosen_names", "measured_on", "plain_name"]

Better = Literal["high", "low"]
Measured = Literal["training", "validation"]

# Parts of names, between `_`; those of losses first: a Dice loss is a loss.
_LOW = ("loss", "losses", "error", "err", "mse", "mae", "rmse", "hd", "hd95", "assd", "asd")
_LOW_WITHIN = ("loss", "entropy", "distance", "hausdorff")
_HIGH = ("iou", "acc", "auc", "f1", "dsc", "nsd", "ap", "map", "seg", "pq", "psnr", "ssim", "kappa")
_HIGH_WITHIN = ("dice", "jaccard", "accuracy", "precision", "recall", "score", "sensitivity")


@dataclass(frozen=True)
class Directions:
    """What the user says of metrics whose direction their names do not tell, or tell wrongly.

    Attributes:
        high: Names, plain or with `val_`, of which the highest is the best.
        low: Likewise, the lowest.
    """

    high: tuple[str, ...] = ()
    low: tuple[str, ...] = ()

    def of(self, name: str) -> Better | None:
        """Whether high or low values of a metric are better; None if nothing tells it."""
        names = {name, plain_name(name)}
        if names & set(self.high):
            return "high"
        if names & set(self.low):
            return "low"
        return _by_name(plain_name(name))


def measured_on(name: str) -> Measured:
    """The set that a metric was measured on."""
    return "validation" if name.startswith("val_") else "training"


def plain_name(name: str) -> str:
    """Name of a metric without the set's."""
    return re.sub(r"^(val|train)_", "", name)


def chosen_names(asked: Sequence[str], there: Iterable[str], option: str) -> list[str]:
    """Names of a log that a user's names mean: the very names, or all that are plainly called so.

    Raises:
        UsageError: If one means none.
    """
    names = list(dict.fromkeys(there))
    found: list[str] = []
    for one in asked:
        means = [name for name in names if one in (name, plain_name(name))]
        if not means:
            known = list(dict.fromkeys([*names, *map(plain_name, names)]))
            near = difflib.get_close_matches(one, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise UsageError(f"{option} {one}: no such metric in the log; {hint}")
        found += means
    return [name for name in names if name in found]


def _by_name(name: str) -> Better | None:
    lowered = name.lower()
    parts = set(lowered.split("_"))
    if parts & set(_LOW) or any(word in lowered for word in _LOW_WITHIN):
        return "low"
    if parts & set(_HIGH) or any(word in lowered for word in _HIGH_WITHIN):
        return "high"
    return None
