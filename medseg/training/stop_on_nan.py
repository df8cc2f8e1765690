"""Stop at a NaN or infinite loss, before a step makes the weights NaN as well."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from monai.engines.utils import IterationEvents

from medseg.errors import DataError, UsageError
from medseg.training.ignite_engine import EngineLike

__all__ = ["StopOnNan"]


class StopOnNan:
    """Handler of MONAI's `SupervisedTrainer`: end it at a NaN or infinite loss.

    The step is not made, so checkpoints and best weights are from before. The error names the
    batch's cases; it is a `DataError` (exit code 3) if their images are not finite, else a
    `UsageError` (exit code 2).
    """

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Check the loss of the running iteration.

        Raises:
            DataError: If loss and images are not finite.
            UsageError: If the loss alone is not.
        """
        output = engine.state.output
        loss = output["loss"].detach()
        if bool(torch.isfinite(loss).all()):
            return
        place = (
            f"epoch {engine.state.epoch}, iteration {engine.state.iteration}: the loss is "
            f"{loss.float().mean().item()} on {_cases(engine.state.batch)}"
        )
        if not bool(torch.isfinite(output["image"]).all()):
            raise DataError(
                f"{place}, whose images hold NaN or infinite values; repair or remove these "
                "cases (medseg data check finds them all)"
            )
        raise UsageError(
            f"{place}, whose images are finite; lower learning_rate or use precision=fp32, and "
            "resume from the last checkpoint or start anew"
        )


def _cases(batch: Any) -> str:
    names = cast("Mapping[str, Any]", batch).get("case") if isinstance(batch, Mapping) else None
    if names is None:
        return "a batch that names no cases"
    return f"cases {', '.join(dict.fromkeys(map(str, names)))}"
