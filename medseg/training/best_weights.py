"""Keep the weights of the best validation so far."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Events
from torch import nn

from medseg.errors import UsageError
from medseg.networks.weights import save_weights
from medseg.training.engine import EngineLike

__all__ = ["BestWeights"]

logger = logging.getLogger(__name__)


class BestWeights:
    """Handler of an evaluator: saves the network whenever `metric` has risen.

    Args:
        network: What is trained.
        path: Where its weights go, `.safetensors`; a `.pt` is written beside it.
        metric: Name in the evaluator's metrics; higher is better.
        settings: What inference has to repeat, e.g. window and spacing; JSON values.
        overwrite: `refuse` to start where `path` exists, or `replace` it.

    Raises:
        UsageError: On attaching, if `path` exists and is not to be replaced: the weights
            of an earlier training are never lost to a later one by default.
    """

    def __init__(
        self,
        network: nn.Module,
        path: str,
        *,
        metric: str,
        settings: Mapping[str, Any],
        overwrite: str = "refuse",
    ) -> None:
        self.network = network
        self.path = Path(path)
        self.metric = metric
        self.settings = settings
        self.overwrite = overwrite
        self.best = float("-inf")

    def attach(self, engine: EngineLike) -> None:
        """Register with an evaluator."""
        if self.path.exists() and self.overwrite != "replace":
            raise UsageError(
                f"{self.path} holds the weights of an earlier training; "
                "set ckpt_dir to another folder, or overwrite to 'replace'"
            )
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Save if the validation that just ended is the best."""
        value = float(engine.state.metrics[self.metric])
        if value <= self.best:
            return
        self.best = value
        epoch = engine.state.epoch
        save_weights(self.network, self.path, {**self.settings, "epoch": epoch, self.metric: value})
        logger.info("epoch %d: best %s so far, %.4f, saved", epoch, self.metric, value)
