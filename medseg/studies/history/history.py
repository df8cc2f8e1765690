"""History of one setting: its trainings, one for each seed, and where they could have stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medseg.studies.history.labels import Labels
from medseg.studies.history.log import TrainingLog
from medseg.studies.history.metric import (
    Better,
    Directions,
    Measured,
    chosen_names,
    measured_on,
    plain_name,
)
from medseg.studies.history.read import read_log
from medseg.studies.history.stopping import Stop, early_stops, last_stop

__all__ = ["History", "MetricSummary", "Range", "read_history"]


@dataclass(frozen=True)
class Range:
    """Mean of several trainings, and the least and greatest of them."""

    mean: float
    least: float
    greatest: float


@dataclass(frozen=True, kw_only=True)
class MetricSummary:
    """Where one metric could have stopped, over trainings; attributes as those of `Stop`.

    Attributes:
        metric: Its name.
        measured: The set that it was measured on.
        better: Whether high or low is better.
        trainings: Number of trainings that have it.
        best: Its best value.
        epoch: The first epoch within the tolerance of it.
        epochs_after: Number of epochs that were run after it.
        hours_after: Their time; None if it is not known of every training.
    """

    metric: str
    measured: Measured
    better: Better
    trainings: int
    best: Range
    epoch: Range
    epochs_after: Range
    hours_after: Range | None


@dataclass(frozen=True, kw_only=True)
class History:
    """Trainings of one setting.

    Attributes:
        logs: One for each training.
        stops: Of each training, one for each of its metrics.
        tolerance: Largest difference to the best.
        labels: Look-up table of the metrics' labels.
        notes: What is remarkable, by file.
    """

    logs: tuple[TrainingLog, ...]
    stops: tuple[tuple[Stop, ...], ...]
    tolerance: float
    labels: Labels
    notes: tuple[str, ...]

    @property
    def metrics(self) -> tuple[MetricSummary, ...]:
        """Of each metric, over the trainings that have it; those of one plain name together."""
        names = [*dict.fromkeys(stop.metric for stops in self.stops for stop in stops)]
        panels = [plain_name(name) for name in names]
        names.sort(key=lambda name: (panels.index(plain_name(name)), measured_on(name)))
        return tuple(
            _summary([stop for stops in self.stops for stop in stops if stop.metric == name])
            for name in names
        )

    @property
    def last(self) -> MetricSummary | None:
        """Of the last metric of each training to come within its tolerance, see `last_stop`."""
        last = [stop for stops in self.stops if (stop := last_stop(stops)) is not None]
        return _summary(last) if last else None


def read_history(
    paths: Sequence[Path],
    *,
    metrics: Sequence[str] = (),
    tolerance: float = 0.005,
    directions: Directions | None = None,
    minutes_per_epoch: float | None = None,
    labels: Labels | None = None,
) -> History:
    """Read logs of one setting, and find where each metric of each could have stopped.

    Args:
        paths: Files or folders, see `read_log`; one for each seed.
        metrics: Names of the metrics wanted, plain or with `val_`; all if empty.
        tolerance: See `early_stops`.
        directions: Likewise.
        minutes_per_epoch: Likewise.
        labels: Look-up table of labels.

    Raises:
        DataError: If a log cannot be read.
        UsageError: If a metric is in no log.
    """
    told = directions or Directions()
    logs = [read_log(path) for path in paths]
    there = list(dict.fromkeys(name for log in logs for name in log.curves))
    chosen_names(told.high, there, "--higher")
    chosen_names(told.low, there, "--lower")
    names = chosen_names(metrics, there, "--metric") if metrics else there
    notes = [f"{log.path}: {note}" for log in logs for note in log.notes]
    notes += [
        f"{name}: is high or low better? use --higher {name} or --lower {name}; left out"
        for name in names
        if told.of(name) is None
    ]
    return History(
        logs=tuple(logs),
        stops=tuple(
            tuple(
                early_stops(
                    log,
                    [name for name in names if name in log.curves],
                    tolerance=tolerance,
                    directions=told,
                    minutes_per_epoch=minutes_per_epoch,
                )
            )
            for log in logs
        ),
        tolerance=tolerance,
        labels=labels or {},
        notes=tuple(notes),
    )


def _summary(stops: Sequence[Stop]) -> MetricSummary:
    hours = [stop.hours_after for stop in stops if stop.hours_after is not None]
    return MetricSummary(
        metric=stops[0].metric,
        measured=stops[0].measured,
        better=stops[0].better,
        trainings=len(stops),
        best=_range([stop.best for stop in stops]),
        epoch=_range([stop.epoch for stop in stops]),
        epochs_after=_range([stop.epochs_after for stop in stops]),
        hours_after=_range(hours) if len(hours) == len(stops) else None,
    )


def _range(values: Sequence[float]) -> Range:
    return Range(sum(values) / len(values), min(values), max(values))
