"""Ranges of the numbers, texts and lists of `Control`, by key."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from medseg._checks import (
    require_fraction,
    require_not_negative,
    require_number,
    require_positive,
    require_weights,
    require_whole_number,
)
from medseg.errors import UsageError

__all__ = ["RANGES"]

# More is a slip of the keyboard, and ends in an error of torch's in the midst of a training.
_MOST = 10**9
_MOST_SEED = 2**32 - 1
# The smallest value of each key that is a whole number.
_WHOLE_NUMBERS = {
    "epochs": 1, "iterations_per_epoch": 1, "batch_size": 1, "stored_augmentations": 1,
    "num_workers": 0, "plateau_patience": 0, "accumulation_steps": 1, "early_stop_patience": 1,
    "val_interval": 1, "window_batch": 1, "seed": 0,
}  # fmt: skip
_TEXTS = (
    "output_dir", "ckpt_dir", "checkpoint_dir", "cache_dir", "mlflow", "experiment", "init_weights",
)  # fmt: skip


def _whole(name: str, value: object) -> None:
    number = require_whole_number(name, value, at_least=_WHOLE_NUMBERS[name])
    most = _MOST_SEED if name == "seed" else _MOST
    if number > most:
        raise UsageError(f"{name} must be at most {most}, got {number:.3g}")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str | os.PathLike) or not str(cast("Any", value)):
        raise UsageError(f"{name} must be a text, got {value!r:.80}")


def _weights(name: str, value: object) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UsageError(f"{name} must be a list of numbers, got {value!r:.80}")
    require_weights(name, cast("Sequence[Any]", value))


def _below_one(name: str, value: object) -> None:
    require_number(name, value, at_least=0, below=1)


def _between(name: str, value: object) -> None:
    _below_one(name, value)
    require_positive(name, value)


# What refuses a value that a key does not take.
RANGES: Mapping[str, Callable[[str, object], None]] = {
    **dict.fromkeys(_WHOLE_NUMBERS, _whole),
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(("learning_rate", "clip_gradients", "max_minutes"), require_positive),
    **dict.fromkeys(("ema", "plateau_factor"), _between),
    **dict.fromkeys(("warmup", "val_overlap"), _below_one),
    "quarantine_share": require_fraction,
    "early_stop_tolerance": require_not_negative,
    "case_weights": _weights,
}
