"""One set of scores for all processes of a training.

Each validates for itself, and on GPUs the same network gives sums that differ in the last bit.
Of two processes one could then see a plateau, or stop, and the other not.
"""

from collections.abc import MutableMapping
from typing import Any, cast

import ignite.distributed as idist
import torch
from ignite.engine import Events

from medseg.training.ignite_engine import EngineLike

__all__ = ["AgreedScores"]


class AgreedScores:
    """Handler of an evaluator, the first of its list: each process takes the first one's scores.

    With one process it does nothing.
    """

    def attach(self, engine: EngineLike) -> None:
        """Register with an evaluator, before whatever looks at its metrics."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Replace the scores that are numbers."""
        metrics = cast("MutableMapping[str, Any]", engine.state.metrics)
        names = sorted(name for name, value in metrics.items() if isinstance(value, int | float))
        if not names:
            return
        # As a tensor: ignite hands a plain number on in single precision.
        scores = torch.tensor([float(metrics[name]) for name in names], dtype=torch.float64)
        agreed = cast("Any", idist.broadcast(scores)).tolist()
        metrics.update(zip(names, agreed, strict=True))
