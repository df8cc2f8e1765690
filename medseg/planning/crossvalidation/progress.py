"""Progress of folds that are trained: epochs done, score, and how long the rest will take."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from medseg.planning.crossvalidation.fold_folder import RESULT
from medseg.planning.crossvalidation.plan import CrossPlan

__all__ = ["FoldProgress", "fold_progress", "minutes_left"]

# Columns of `metrics.csv` before the scores.
_FIRST_SCORE = 4


@dataclass(frozen=True, kw_only=True)
class FoldProgress:
    """How far a fold is.

    Attributes:
        fold: Its number.
        epoch: Epochs done.
        seconds: That they took together.
        score: The last validation's; None before the first.
        best: The best so far, likewise.
    """

    fold: int
    epoch: int
    seconds: float
    score: float | None
    best: float | None


def fold_progress(plan: CrossPlan, fold: int) -> FoldProgress | None:
    """How far a fold is; None before its first epoch has ended."""
    try:
        text = (plan.folder_of(fold) / "metrics.csv").read_text(encoding="utf-8")
    except OSError:
        return None
    head, *rows = list(csv.reader(text.splitlines())) or [[]]
    if not rows or "seconds" not in head or len(head) <= _FIRST_SCORE:
        return None
    scores = [float(row[_FIRST_SCORE]) for row in rows if row[_FIRST_SCORE]]
    return FoldProgress(
        fold=fold,
        epoch=len(rows),
        seconds=sum(float(row[head.index("seconds")] or 0) for row in rows),
        score=scores[-1] if scores else None,
        best=max(scores, default=None),
    )


def minutes_left(plan: CrossPlan, folds: Sequence[int], parallel: int) -> float | None:
    """Minutes until folds are trained, at the speed so far; None if no epoch has ended.

    Args:
        plan: The cross-validation.
        folds: Those that this run trains.
        parallel: How many at a time.
    """
    known = [fold_progress(plan, fold.fold) for fold in plan.folds]
    epochs = sum(one.epoch for one in known if one is not None)
    if not epochs:
        return None
    seconds = sum(one.seconds for one in known if one is not None) / epochs
    done = {one.fold: one.epoch for one in known if one is not None}
    left = [
        max(0, plan.epochs - done.get(fold, 0))
        for fold in folds
        if not (plan.folder_of(fold) / RESULT).exists()
    ]
    minutes = [seconds * count / 60 for count in left]
    if plan.minutes is not None:
        minutes = [min(one, plan.minutes) for one in minutes]
    return sum(minutes) / min(parallel, max(1, len(minutes)))
