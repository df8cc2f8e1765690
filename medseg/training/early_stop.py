"""Early stopping: end a training whose validation score no longer improves.

ignite's `EarlyStopping` (0.5.5) keeps a NaN as the best score for good, forgets at the start of a
run what it was restored to, and expects a validation in every epoch.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any, cast

from ignite.engine import Events

from medseg._checks import require_not_negative, require_whole_number
from medseg.training.ignite_engine import EngineLike

__all__ = ["EarlyStop"]

logger = logging.getLogger(__name__)


class EarlyStop:
    """Handler of a trainer: end it after `patience` validations without a better score.

    Better means above the best so far plus `tolerance`. The weights of the best validation are
    saved by `BestWeights`; those of the last epochs are not.
    """

    def __init__(
        self, evaluator: EngineLike, *, metric: str, patience: int, tolerance: float = 0.0
    ) -> None:
        """Check the arguments.

        Args:
            evaluator: The evaluator that computes the metric.
            metric: Name of the metric; higher is better.
            patience: Validations in a row without a better score, from 1.
            tolerance: Minimum improvement that counts, from 0, in the metric's unit.

        Raises:
            UsageError: If a number is out of its range.
        """
        require_whole_number("early_stop_patience", patience, at_least=1)
        require_not_negative("early_stop_tolerance", tolerance)
        self.evaluator = evaluator
        self.metric = metric
        self.patience = patience
        self.tolerance = tolerance
        self._best = -math.inf
        self._waited = 0

    @property
    def exhausted(self) -> bool:
        """Whether `patience` is used up."""
        return self._waited >= self.patience

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after its validation handler."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Count the validation of the epoch that just ended, if there was one."""
        if self.evaluator.state.epoch != engine.state.epoch:
            return
        value = float(self.evaluator.state.metrics[self.metric])
        # NaN is not better.
        better = value > self._best + self.tolerance
        self._best, self._waited = (value, 0) if better else (self._best, self._waited + 1)
        if self.exhausted:
            logger.info(
                "epoch %d: %s not above %.4f for %d validations; the training ends",
                engine.state.epoch,
                self.metric,
                self._best + self.tolerance,
                self._waited,
            )
            cast("Any", engine).terminate()

    def state_dict(self) -> dict[str, Any]:
        """The best score, and the number of validations since."""
        return {"best": self._best, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue counting from a state."""
        self._best, self._waited = float(state["best"]), int(state["waited"])
