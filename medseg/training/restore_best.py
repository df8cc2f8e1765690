"""At the end of a training the network in memory is the best one, as the one on disk is.

Neither MONAI's handlers nor ignite's do so: what a script computes after a training would be of
the last epoch's weights.
"""

import logging
from pathlib import Path

from ignite.engine import Events
from torch import nn

from medseg.networks.weights import load_weights
from medseg.training.engine import EngineLike
from medseg.training.ranks import wait_for_all

__all__ = ["RestoreBest"]

logger = logging.getLogger(__name__)


class RestoreBest:
    """Handler of a trainer: loads the weights of `BestWeights` when the training is over.

    Checkpoints are not touched: a training that is taken up again goes on from its last epoch.

    Args:
        network: What was trained.
        path: The `.safetensors` file of `BestWeights`. Where there is none, as no score was a
            number or another machine has it, the last weights stay.
    """

    def __init__(self, network: nn.Module, path: str) -> None:
        self.network = network
        self.path = Path(path)

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, _: EngineLike) -> None:
        """Load the best weights."""
        # Not before the first process has written them.
        wait_for_all()
        if not self.path.is_file():
            logger.warning("%s: no best weights there; the last ones stay", self.path)
            return
        load_weights(self.network, self.path)
