"""Time limit of a training, which ends with a complete and validated epoch."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import ignite.distributed as idist
from ignite.engine import Events

from medseg._checks import require_positive
from medseg.training.ignite_engine import EngineLike

__all__ = ["MaxTime"]

logger = logging.getLogger(__name__)


class MaxTime:
    """Handler of a trainer: end it when another epoch would exceed the time limit.

    The next epoch is expected to take as long as the longest so far. At least one epoch is run.
    The last one is validated whatever the interval, since its weights may be the best. A resumed
    training gets the whole time again, unless the time used is restored by `load_state_dict`.

    With `reserve` the time is used to the step: it is over (`is_over`) when what is left is needed
    for a last validation. `StopFile` ends the training then, within an epoch.
    """

    def __init__(
        self,
        evaluator: EngineLike,
        minutes: float | None,
        *,
        reserve: Callable[[], float] | None = None,
    ) -> None:
        """Check the arguments.

        Args:
            evaluator: MONAI's, of the validation.
            minutes: The limit, above 0; None means no limit.
            reserve: Seconds of a validation; None plans by whole epochs.

        Raises:
            UsageError: If `minutes` is not a finite number above 0.
        """
        if minutes is not None:
            require_positive("max_minutes", minutes)
        self.evaluator = evaluator
        self.minutes = minutes
        self.reserve = reserve
        self._begun = self._used_before = 0.0
        self._epoch_begun = 0.0
        self._longest = 0.0

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, right after its validation handler."""
        if self.minutes is None:
            return
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """End the training if another epoch would take too long."""
        now = time.monotonic()
        self._longest = max(self._longest, now - self._epoch_begun)
        if self.minutes is None:
            return
        # Clocks differ between processes, but all have to stop together.
        by_epochs = self._used() + self._longest > 60 * self.minutes
        over = by_epochs if self.reserve is None else self.is_over()
        if not idist.all_reduce(int(over), "MAX"):
            return
        logger.info(
            "epoch %d is the last that fits into max_minutes=%g", engine.state.epoch, self.minutes
        )
        if self.evaluator.state.epoch != engine.state.epoch:
            cast("Any", self.evaluator).run(engine.state.epoch)
        cast("Any", engine).terminate()

    def used_share(self) -> float:
        """Fraction of the time for steps that is used, the same in all processes; may exceed 1."""
        if self.minutes is None:
            return 0.0
        reserved = 0.0 if self.reserve is None else self.reserve()
        share = self._used() / max(1e-9, 60 * self.minutes - reserved)
        return float(idist.all_reduce(share, "MAX"))

    def is_over(self) -> bool:
        """Whether the time for steps is used up, the same in all processes."""
        return self.used_share() >= 1

    def state_dict(self) -> dict[str, float]:
        """The seconds used so far."""
        return {"seconds": self._used()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Count the seconds of a state as used."""
        self._used_before = float(state["seconds"])

    def _used(self) -> float:
        return self._used_before + time.monotonic() - self._begun

    def _begin(self, _: EngineLike) -> None:
        self._begun = time.monotonic()

    def _begin_epoch(self, _: EngineLike) -> None:
        self._epoch_begun = time.monotonic()
