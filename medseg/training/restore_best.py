"""Load the best weights into the network at the end of a training.

Neither MONAI's handlers nor ignite's do so: a script that goes on with the network after the
training would use the last epoch's weights.
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
    """Handler of a trainer: load the weights of `BestWeights` when the training is over.

    Checkpoints are not touched: a resumed training continues from its last epoch.

    Args:
        network: The trained network.
        path: The `.safetensors` file of `BestWeights`. If this training has not written it (no
            score was a number, or it is on another machine), the last weights stay.
        start: `fresh`: a file that exists at the start is an earlier training's; or `resume`.
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
        # Wait until the first process has written them.
        idist.barrier()
        if _which_file(self.path) in (None, self._earlier):
            logger.warning("%s: no best weights were saved there; keeping the last ones", self.path)
            return
        load_weights(self.network, self.path)


def _which_file(path: Path) -> tuple[int, int] | None:
    """Inode and modification time, which differ if an equal file replaced it; None if missing."""
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
