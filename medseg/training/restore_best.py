"""At the end of a training the network in memory is the best one, as the one on disk is.

Neither MONAI's handlers nor ignite's do so: what a script computes after a training would be of
the last epoch's weights.
"""

import logging
from pathlib import Path
from typing import Literal

import ignite.distributed as idist
from ignite.engine import Events
from torch import nn

from medseg.networks.weights import load_weights
from medseg.training.ignite_engine import EngineLike

__all__ = ["RestoreBest"]

logger = logging.getLogger(__name__)


class RestoreBest:
    """Handler of a trainer: loads the weights of `BestWeights` when the training is over.

    Checkpoints are not touched: a training that is taken up again goes on from its last epoch.

    Args:
        network: What was trained.
        path: The `.safetensors` file of `BestWeights`. Where there is none of this training, as no
            score was a number or another machine has it, the last weights stay.
        start: `fresh`, where a file that is there before is an earlier training's, or `resume`.
    """

    def __init__(
        self, network: nn.Module, path: str, *, start: Literal["fresh", "resume"] = "fresh"
    ) -> None:
        self.network = network
        self.path = Path(path)
        self.start = start
        self._earlier: tuple[int, int] | None = None

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        self._earlier = _which_file(self.path) if self.start == "fresh" else None
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, _: EngineLike) -> None:
        """Load the best weights."""
        # Not before the first process has written them.
        idist.barrier()
        if _which_file(self.path) in (None, self._earlier):
            logger.warning("%s: no best weights there; the last ones stay", self.path)
            return
        load_weights(self.network, self.path)


def _which_file(path: Path) -> tuple[int, int] | None:
    """Tells a file from one that took its place, though it be equal; none where there is none."""
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
