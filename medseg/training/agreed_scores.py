"""One set of scores for all processes of a training.

Each validates for itself, and on GPUs the same network gives sums that differ in the last bit.
Of two processes one could then see a plateau, or stop, and the other not.
"""

from collections.abc import MutableMapping
from typing import Any, cast

from ignite.engine import Events

from medseg.training.ignite_engine import EngineLike
from medseg.training.ranks import of_first_rank

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
        values = of_first_rank([float(metrics[name]) for name in names])
        metrics.update(zip(names, values, strict=True))
