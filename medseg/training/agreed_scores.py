"""Broadcast of the validation scores from the first process to the others.

Each process validates for itself, and on GPUs the same network gives sums that differ in the last
bit. One process could then see a plateau, or stop early, and another not.
"""

from collections.abc import MutableMapping
from typing import Any, cast

import ignite.distributed as idist
import torch
from ignite.engine import Events

from medseg.training.ignite_engine import EngineLike

__all__ = ["AgreedScores"]


class AgreedScores:
    """Handler of an evaluator, the first in its list: all processes get the first one's scores.

    With a single process it does nothing.
    """

    def attach(self, engine: EngineLike) -> None:
        """Register with an evaluator, before any handler that reads its metrics."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Replace the numeric metrics by those of the first process."""
        metrics = cast("MutableMapping[str, Any]", engine.state.metrics)
        names = sorted(name for name, value in metrics.items() if isinstance(value, int | float))
        if not names:
            return
        # As a tensor: ignite broadcasts a plain number in single precision.
        scores = torch.tensor([float(metrics[name]) for name in names], dtype=torch.float64)
        agreed = cast("Any", idist.broadcast(scores)).tolist()
        metrics.update(zip(names, agreed, strict=True))
