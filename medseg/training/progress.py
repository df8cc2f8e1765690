"""Progress bar of the running epoch, on a terminal only.

In a log file a bar is noise, and the line per epoch of `EpochTable` is enough. A hidden bar is not
created either: tqdm shares a lock with forked processes, and if one of them is killed while it
holds the lock, the training would wait for ever.
"""

import sys
from typing import Any, cast

import ignite.handlers

from medseg.training.ignite_engine import EngineLike

__all__ = ["ProgressBar"]


class ProgressBar(ignite.handlers.ProgressBar):
    """Handler of a trainer: ignite's bar of the running epoch, with time left and loss.

    Args:
        where: `terminal` shows the bar if standard error is one; `nowhere` never does.
    """

    def __init__(self, where: str = "terminal") -> None:
        self.hidden = where == "nowhere" or not sys.stderr.isatty()
        super().__init__(desc="epoch", disable=self.hidden)

    def attach(self, engine: EngineLike) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - MONAI passes the engine only
        """Register with a trainer, before handlers that write to the log."""
        if not self.hidden:
            cast("Any", super()).attach(engine, output_transform=_loss)


def _loss(output: Any) -> dict[str, float]:
    return {"loss": output["loss"].item()}
