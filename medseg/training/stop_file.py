"""Stop file: end a training from outside, as if it were done, by a file named STOP.

A training in a queue, in a container or in another terminal gets no Ctrl-C. The file needs nothing
but the output folder, and the training ends as by itself: validated, summed up, exit code 0.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import ignite.distributed as idist
from ignite.engine import Events

from medseg.training.ignite_engine import EngineLike, made_a_step

__all__ = ["STOP", "StopFile"]

logger = logging.getLogger(__name__)

STOP = "STOP"


class StopFile:
    """Handler of a trainer: end it after the running step if there is a file `STOP` in a folder.

    The weights of that step are validated, since they may be the best. The file is removed, so
    that the training can be resumed; one that is there at the start is of an earlier training, and
    is removed as well.
    """

    def __init__(
        self,
        folder: Path,
        evaluator: EngineLike,
        *,
        save: Callable[[EngineLike], object],
        is_over: Callable[[], bool] | None = None,
    ) -> None:
        """Takes the parts.

        Args:
            folder: Where the file is looked for, by the first process.
            evaluator: MONAI's, of the validation.
            save: Saves a checkpoint; called before a validation that no other training has, so
                that it has no effect on a training that is resumed.
            is_over: Another reason to end within an epoch: that the time is over. The same in all
                processes.
        """
        self.path = folder / STOP
        self.evaluator = evaluator
        self.save = save
        self.is_over = is_over

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after its validation handler and before its table."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._within_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """End the training at the end of an epoch."""
        if self._is_there():
            self._end(engine, str(self.path))

    def _within_epoch(self, engine: EngineLike) -> None:
        # After the last step of an epoch, `__call__` ends it.
        last = engine.state.iteration % engine.state.epoch_length == 0
        if last or not made_a_step(engine):
            return
        if self._is_there():
            self.save(engine)
            self._end(engine, str(self.path))
        elif self.is_over is not None and self.is_over():
            self.save(engine)
            self._end(engine, "max_minutes")

    def _end(self, engine: EngineLike, why: str) -> None:
        logger.info(
            "%s: the training ends after iteration %d, in epoch %d",
            *(why, engine.state.iteration, engine.state.epoch),
        )
        if self.evaluator.state.epoch != engine.state.epoch:
            cast("Any", self.evaluator).run(engine.state.epoch)
        self._remove()
        cast("Any", engine).terminate()

    def _begin(self, _: EngineLike) -> None:
        if idist.get_rank() == 0 and self.path.is_file():
            logger.warning("%s: there since before this training; removed", self.path)
            self._remove()

    def _is_there(self) -> bool:
        # All processes have to stop after the same step.
        there = idist.get_rank() == 0 and self.path.is_file()
        return bool(idist.all_reduce(int(there), "MAX"))

    def _remove(self) -> None:
        if idist.get_rank() == 0:
            self.path.unlink(missing_ok=True)
