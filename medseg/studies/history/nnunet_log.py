"""Logs of nnU-Net, version 2: `training_log_<date>.txt`.

Lines of a log begin with the time, and an epoch is told as

    2024-04-23 15:22:40.711169: Epoch 195
    2024-04-23 15:23:41.803760: train_loss -0.7526
    2024-04-23 15:23:41.832845: val_loss -0.771
    2024-04-23 15:23:41.869548: Pseudo dice [0.8399, 0.7112]
    2024-04-23 15:23:41.895059: Epoch time: 61.1 s

Reference:
    Isensee et al., nnU-Net, Nat. Methods 2021. https://doi.org/10.1038/s41592-020-01008-z
"""

import math
import re
from pathlib import Path

from medseg.studies.history.log import SECONDS, Row, TrainingLog, log_of_rows

__all__ = ["is_nnunet_log", "read_nnunet_log"]

_NUMBER = r"(-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf))"
_EPOCH = re.compile(r"^[-\d]+ [:.\d]+: +Epoch (\d+) *$", re.MULTILINE)
_LOSS = re.compile(rf": +(train_loss|val_loss) {_NUMBER} *$", re.MULTILINE)
_DICE = re.compile(r": +Pseudo dice \[(.*)\] *$", re.MULTILINE)
_TIME = re.compile(rf": +Epoch time: {_NUMBER} s *$", re.MULTILINE)
# numpy 2 prints a number within a list as np.float32(0.8399).
_TYPED = re.compile(r"np\.float\d*\(([^)]*)\)")


def is_nnunet_log(text: str) -> bool:
    """Whether a text has lines of nnU-Net: its banner, or an epoch."""
    return _EPOCH.search(text) is not None or "when using nnU-Net" in text


def read_nnunet_log(path: Path, text: str) -> TrainingLog:
    """Read a log, or several of one training joined in order.

    The pseudo Dice of each class is `val_dice_1`, `val_dice_2`, ... in the order of the classes,
    their mean `val_mean_dice`. An epoch that was not finished is left out.

    Raises:
        DataError: If no epoch has ended.
    """
    starts = [*_EPOCH.finditer(text)]
    ends = [*(start.start() for start in starts), len(text)][1:]
    rows = (_row(int(a[1]), text[a.end() : end]) for a, end in zip(starts, ends, strict=True))
    return log_of_rows(path, "nnU-Net", [row for row in rows if row is not None])


def _row(epoch: int, text: str) -> Row | None:
    time = _TIME.search(text)
    if time is None:
        return None
    values = {found[1]: float(found[2]) for found in _LOSS.finditer(text)}
    dice = _DICE.search(text)
    if dice is not None:
        scores = [float(part) for part in _TYPED.sub(r"\1", dice[1]).split(",") if part.strip()]
        known = [score for score in scores if not math.isnan(score)]
        if len(scores) > 1:
            values["val_mean_dice"] = sum(known) / len(known) if known else math.nan
        values |= {f"val_dice_{place}": score for place, score in enumerate(scores, start=1)}
    return epoch, {**values, SECONDS: float(time[1])}
