"""A bar that shows how far an epoch is, on a terminal only.

In a log file a bar is noise: there, the line an epoch of `EpochTable` is enough.
"""

import sys
from typing import Any

from ignite.engine import Events
from tqdm import tqdm

from medseg.training.ignite_engine import EngineLike

__all__ = ["ProgressBar"]


class ProgressBar:
    """Handler of a trainer: iterations of the running epoch, with time left and loss.

    Args:
        where: `terminal` shows the bar if standard error is one; `nowhere` never does.
    """

    def __init__(self, where: str = "terminal") -> None:
        self.hidden = where == "nowhere" or not sys.stderr.isatty()
        self._bar: Any = None

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, before handlers that write to the log."""
        if self.hidden:
            return
        engine.add_event_handler(Events.EPOCH_STARTED, self._open)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._advance)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._close)

    def _open(self, engine: EngineLike) -> None:
        state = engine.state
        self._bar = tqdm(
            total=state.epoch_length, desc=f"epoch {state.epoch}/{state.max_epochs}", leave=False
        )

    def _advance(self, engine: EngineLike) -> None:
        if self._bar is not None:
            self._bar.set_postfix(loss=f"{engine.state.output['loss'].item():.3f}", refresh=False)
            self._bar.update()

    def _close(self, _: EngineLike) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
