"""Early stopping in hindsight: the first epoch that came within a tolerance of a metric's best.

Each metric has its own: two labels of one network rarely stop to improve in the same epoch. The
best is known only at the end, so this is the most that an early stop could have saved; one with
patience saves less by its patience.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medseg.studies.history.log import TrainingLog
from medseg.studies.history.metric import Better, Directions, Measured, measured_on

__all__ = ["Stop", "early_stops", "hours_after", "last_stop"]

# 0.9 - 0.895 is more than 0.005 in binary.
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Where one metric of one training could have stopped.

    Attributes:
        metric: Its name in the log.
        measured: The set that it was measured on.
        better: Whether high or low is better.
        best: Its best value.
        best_epoch: The first epoch with it.
        epoch: The first within the tolerance of it.
        value: The value there.
        epochs_after: Number of epochs that were run after it.
        hours_after: Their time; None if it is not known.
    """

    metric: str
    measured: Measured
    better: Better
    best: float
    best_epoch: int
    epoch: int
    value: float
    epochs_after: int
    hours_after: float | None


def early_stops(
    log: TrainingLog,
    names: Iterable[str],
    *,
    tolerance: float,
    directions: Directions | None = None,
    minutes_per_epoch: float | None = None,
) -> list[Stop]:
    """Find where each metric could have stopped.

    Args:
        log: The log.
        names: Of its metrics, in the order wanted; those without a direction are left out.
        tolerance: Largest difference to the best, in the metric's own unit, at least 0.
        directions: What the user says of them.
        minutes_per_epoch: Time of an epoch, in place of the log's own.
    """
    told = directions or Directions()
    return [
        _stop(log, name, better, tolerance, minutes_per_epoch)
        for name in names
        if (better := told.of(name)) is not None
    ]


def last_stop(stops: Sequence[Stop]) -> Stop | None:
    """The stop after which every metric is within its tolerance: of validation, if there is any.

    The first of equals; None without any.
    """
    of_validation = [stop for stop in stops if stop.measured == "validation"]
    return max(of_validation or stops, key=lambda stop: stop.epoch, default=None)


def hours_after(log: TrainingLog, place: int, minutes_per_epoch: float | None) -> float | None:
    """Time of all epochs after the one at a place of the log; None if it is not known."""
    if minutes_per_epoch is not None:
        return (len(log.epochs) - 1 - place) * minutes_per_epoch / 60
    return None if log.seconds is None else sum(log.seconds[place + 1 :]) / 3600


def _stop(
    log: TrainingLog, name: str, better: Better, tolerance: float, minutes: float | None
) -> Stop:
    curve = log.curves[name]
    finite = [(place, value) for place, value in enumerate(curve) if not math.isnan(value)]
    best_place, best = (max if better == "high" else min)(finite, key=lambda point: point[1])
    within = (point for point in finite if abs(point[1] - best) <= tolerance * _ROUNDING)
    # Of two infinities the difference is no number.
    place, value = next(within, (best_place, best))
    return Stop(
        metric=name,
        measured=measured_on(name),
        better=better,
        best=best,
        best_epoch=log.epochs[best_place],
        epoch=log.epochs[place],
        value=value,
        epochs_after=len(log.epochs) - 1 - place,
        hours_after=hours_after(log, place, minutes),
    )
