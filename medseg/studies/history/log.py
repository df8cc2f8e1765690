"""Training log: what a training measured in each epoch, whichever program wrote it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg.errors import DataError

__all__ = ["SECONDS", "Kind", "Row", "TrainingLog", "log_of_rows"]

Kind = Literal["medseg", "Keras", "nnU-Net", "TensorBoard"]
# What one epoch logged: metrics by name, NaN where it was not a number; `SECONDS` is its time.
Row = tuple[int, Mapping[str, float]]

SECONDS = "seconds"


@dataclass(frozen=True, kw_only=True)
class TrainingLog:
    """Log of one training.

    Attributes:
        path: Its file, or folder.
        kind: The program that wrote it.
        epochs: Their numbers as the program counts them, increasing.
        curves: By metric, a value for each epoch; NaN where it was not measured.
        seconds: Time of each epoch; None if the log does not tell it.
        notes: What is remarkable about the log.
    """

    path: Path
    kind: Kind
    epochs: tuple[int, ...]
    curves: Mapping[str, tuple[float, ...]]
    seconds: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()


def log_of_rows(path: Path, kind: Kind, rows: Sequence[Row]) -> TrainingLog:
    """Put the rows of a log together.

    An epoch that comes again was run again, after a resume: it replaces its first run and all that
    was run after that.

    Raises:
        DataError: If there is no row, or no metric.
    """
    if not rows:
        raise DataError(f"{path}: holds no epoch yet; wait for the first to end")
    kept, repeated = _last_runs(rows)
    names = dict.fromkeys(name for _, values in kept for name in values if name != SECONDS)
    curves = {n: tuple(_finite(values.get(n)) for _, values in kept) for n in names}
    measured = {n: curve for n, curve in curves.items() if not all(map(math.isnan, curve))}
    if not measured:
        raise DataError(
            f"{path}: no metric has a number in any epoch; is it the log of a training?"
        )
    seconds = tuple(_finite(values.get(SECONDS)) for _, values in kept)
    return TrainingLog(
        path=path,
        kind=kind,
        epochs=tuple(epoch for epoch, _ in kept),
        curves=measured,
        seconds=None if any(map(math.isnan, seconds)) else seconds,
        notes=(*repeated, *_gaps(kept, measured), *_never(curves, measured)),
    )


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan


def _last_runs(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    kept: list[Row] = []
    replaced = 0
    for row in rows:
        while kept and kept[-1][0] >= row[0]:
            kept.pop()
            replaced += 1
        kept.append(row)
    if not replaced:
        return kept, []
    what = "1 epoch was" if replaced == 1 else f"{replaced} epochs were"
    return kept, [f"{what} run again after a resume; the last run of each counts"]


def _gaps(rows: Sequence[Row], measured: Mapping[str, object]) -> list[str]:
    """Values that are there and no number; an empty cell is an epoch without validation."""
    found: list[str] = []
    for name in measured:
        count = sum(name in values and not math.isfinite(values[name]) for _, values in rows)
        if count:
            found.append(f"{name} is not a number in {count} of {len(rows)} epochs, left out there")
    return found


def _never(curves: Mapping[str, object], measured: Mapping[str, object]) -> list[str]:
    return [f"{name} is never a number, and left out" for name in curves if name not in measured]
