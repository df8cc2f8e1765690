"""Time left of a training: a forecast after its first steps, and what is left after each epoch.

Forecasts from tables of machines are wrong on the next one, so the training's own steps are timed,
loading and augmentation included, and its own validation, on a few cases. As the training goes on
the estimate follows what it really took.
"""

import logging
import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import torch
from ignite.engine import Events
from monai.networks.utils import eval_mode

from medseg.networks.weights import plain_network
from medseg.training.control import Control
from medseg.training.ignite_engine import EngineLike

__all__ = ["Pace", "TimeLeft", "duration_text", "seconds_left", "validations_left"]

logger = logging.getLogger(__name__)

# Steps are timed for this long before the forecast; the first is slower, and does not count.
_SECONDS_OF_STEPS = 3.0
_LEAST_STEPS = 3
# Validation is timed on so many cases at most, and no more of them after so many seconds.
_MOST_CASES = 3
_SECONDS_OF_CASES = 2.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a training is.

    Attributes:
        step_seconds: Of a step, mean.
        validation_seconds: Of a validation of all its cases.
    """

    step_seconds: float
    validation_seconds: float


def seconds_left(pace: Pace, *, steps: int, validations: int) -> float:
    """Seconds that so many steps and validations take."""
    return steps * pace.step_seconds + validations * pace.validation_seconds


def validations_left(done: int, epochs: int, every: int) -> int:
    """Validations after epoch `done`, the last being that of the last epoch that is validated.

    Args:
        done: Epochs that are over, their validations included.
        epochs: Number of epochs.
        every: Epochs between validations.
    """
    return max(0, epochs // every - done // every)


def duration_text(seconds: float) -> str:
    """A duration in words: `0.42 s`, `40 s`, `12 min`, `3 h 20 min`."""
    if seconds < 1:
        return f"{max(0.0, seconds):.2g} s"
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 24 else f"{hours} h"


class TimeLeft:
    """Handler of a trainer: forecast the training, and know what is left of it.

    Only the first process has one. In a quick pass the forecast is that of the whole training.
    """

    def __init__(self, evaluator: EngineLike, control: Control) -> None:
        """Takes the parts.

        Args:
            evaluator: MONAI's, of the validation.
            control: Epochs, validations, `max_minutes`.
        """
        self.evaluator = evaluator
        self.control = control
        self._begun = self._mark = 0.0
        self._steps: list[float] = []
        self._is_first, self._is_told = True, False
        self._validation: float | None = None

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after the handlers that validate."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.EPOCH_STARTED, self._set_mark)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._note_step)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Note how long the validation of this epoch took."""
        if self.evaluator.state.epoch == engine.state.epoch:
            self._validation = time.monotonic() - self._mark

    def seconds(self, engine: EngineLike) -> float | None:
        """Seconds left of the running training, or None as long as that is not known."""
        pace = self._pace()
        if pace is None:
            return None
        state, every = engine.state, self.control.epochs_between_validations
        left = seconds_left(
            pace,
            steps=state.max_epochs * state.epoch_length - state.iteration,
            validations=validations_left(
                state.iteration // state.epoch_length, state.max_epochs, every
            ),
        )
        return left if self._allowed() is None else min(left, cast("float", self._allowed()))

    def validation_seconds(self) -> float:
        """Seconds of a validation, the last one or as forecast; 0 as long as that is not known."""
        return self._validation or 0.0

    def _begin(self, _: EngineLike) -> None:
        self._begun = time.monotonic()
        self._steps, self._is_first, self._is_told = [], True, False

    def _set_mark(self, _: EngineLike) -> None:
        self._mark = time.monotonic()

    def _note_step(self, engine: EngineLike) -> None:
        now = time.monotonic()
        last = engine.state.iteration % engine.state.epoch_length == 0
        if not self._is_first or last:
            self._steps.append(now - self._mark)
        self._is_first = False
        timed = sum(self._steps) >= _SECONDS_OF_STEPS and len(self._steps) >= _LEAST_STEPS
        if not self._is_told and (timed or last):
            self._is_told = True
            self._tell(engine)
        self._mark = time.monotonic()

    def _tell(self, engine: EngineLike) -> None:
        case_seconds = self._case_seconds()
        count = len(cast("Any", self.evaluator).data_loader.dataset)
        self._validation = case_seconds * count
        pace = cast("Pace", self._pace())
        if self.control.quick:
            logger.info("%s", _trial_text(self.control, pace.step_seconds, case_seconds))
            return
        logger.info("%s", self._forecast_text(engine, pace))

    def _forecast_text(self, engine: EngineLike, pace: Pace) -> str:
        state, every = engine.state, self.control.epochs_between_validations
        done = state.iteration // state.epoch_length
        validations = validations_left(done, state.max_epochs, every)
        steps = state.max_epochs * state.epoch_length - state.iteration
        whole = seconds_left(pace, steps=steps, validations=validations)
        what = (
            f"{steps} steps at {duration_text(pace.step_seconds)}, {validations} validations at "
            f"{duration_text(pace.validation_seconds)}"
        )
        allowed = self._allowed()
        if allowed is not None and allowed < whole:
            last = max(1, math.floor(done + steps / state.epoch_length * allowed / whole))
            return (
                f"max_minutes={self.control.max_minutes:g} ends it at about epoch {last} of "
                f"{state.max_epochs}; all would take about {duration_text(whole)} ({what})"
            )
        most = "at most " if self.control.early_stop_patience is not None else ""
        until = datetime.now() + timedelta(seconds=whole)
        return f"{most}about {duration_text(whole)} to go, until {until:%H:%M} ({what})"

    def _pace(self) -> Pace | None:
        if not self._steps or self._validation is None:
            return None
        recent = self._steps[-200:]
        return Pace(step_seconds=sum(recent) / len(recent), validation_seconds=self._validation)

    def _allowed(self) -> float | None:
        minutes = self.control.max_minutes
        return None if minutes is None else self._begun + 60 * minutes - time.monotonic()

    def _case_seconds(self) -> float:
        """Seconds of a validation case, over a few of them; nothing of the training changes."""
        evaluator = cast("Any", self.evaluator)
        # The network as it is, since other processes do not call theirs now.
        network = plain_network(evaluator.network)
        dataset = evaluator.data_loader.dataset
        places = sorted({round(part * (len(dataset) - 1)) for part in (0.0, 0.5, 1.0)})
        begun = time.monotonic()
        for number, place in enumerate(places[:_MOST_CASES], start=1):
            image = torch.as_tensor(dataset[place]["image"])[None].to(evaluator.state.device)
            with eval_mode(network):
                evaluator.inferer(image, network)[0, 0].float().sum().item()
            if time.monotonic() - begun > _SECONDS_OF_CASES:
                return (time.monotonic() - begun) / number
        return (time.monotonic() - begun) / len(places)


def _trial_text(control: Control, step_seconds: float, case_seconds: float) -> str:
    steps = control.epochs * control.iterations_per_epoch
    every = min(control.val_interval, control.epochs)
    return (
        f"a trial run; without quick=true {control.epochs} epochs of "
        f"{control.iterations_per_epoch} steps take about {duration_text(steps * step_seconds)} "
        f"here, and {control.epochs // every} validations about {case_seconds:.2g} s a case each"
    )
