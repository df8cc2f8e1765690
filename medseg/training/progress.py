"""Progress bar of the running epoch, on a terminal only.

In a log file a bar is noise, and the line per epoch of `EpochTable` is enough. A hidden bar is not
created either: tqdm shares a lock with forked processes, and if one of them is killed while it
holds the lock, the training would wait for ever.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import ignite.handlers
from ignite.engine import Events

from medseg.training.ignite_engine import EngineLike
from medseg.training.time_left import duration_text

__all__ = ["ProgressBar"]


class ProgressBar(ignite.handlers.ProgressBar):
    """Handler of a trainer: ignite's bar of the running epoch, with time left and loss.

    Args:
        where: `terminal` shows the bar if standard error is one; `nowhere` never does.
        left: Seconds left of the whole training, or None.
    """

    def __init__(
        self,
        where: str = "terminal",
        left: Callable[[EngineLike], float | None] | None = None,
    ) -> None:
        self.hidden = where == "nowhere" or not sys.stderr.isatty()
        self.left = left
        super().__init__(desc="epoch", disable=self.hidden)

    def attach(self, engine: EngineLike) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - MONAI passes the engine only
        """Register with a trainer, before handlers that write to the log."""
        if not self.hidden:
            told = partial(_told, engine, self.left)
            cast("Any", super()).attach(engine, output_transform=told)
            # A training that ends within an epoch.
            engine.add_event_handler(Events.COMPLETED, cast("Any", self)._close)


def _told(
    engine: EngineLike, left: Callable[[EngineLike], float | None] | None, output: Any
) -> dict[str, float | str]:
    loss = {"loss": output["loss"].item()}
    seconds = None if left is None else left(engine)
    return loss if seconds is None else {**loss, "left in all": duration_text(seconds)}
