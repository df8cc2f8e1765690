"""Stop at a loss that is no number, before a step makes the weights no numbers too."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from monai.engines.utils import IterationEvents

from medseg.errors import DataError, UsageError
from medseg.training.ignite_engine import EngineLike

__all__ = ["StopOnNan"]


class StopOnNan:
    """Handler of MONAI's `SupervisedTrainer`: ends it at a loss that is NaN or infinite.

    The step is not made: checkpoints and best weights are from before. The error names the
    batch's cases; it is a `DataError` (exit code 3) if their images are not finite, else a
    `UsageError` (exit code 2).
    """

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Look at the loss of the running iteration.

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
                f"{place}, whose images hold NaN or infinite values; mend or leave out these "
                "cases (medseg data check reads them all)"
            )
        raise UsageError(
            f"{place}, whose images are finite; lower learning_rate or set precision to fp32, and "
            "go on from the last checkpoint or begin anew"
        )


def _cases(batch: Any) -> str:
    names = cast("Mapping[str, Any]", batch).get("case") if isinstance(batch, Mapping) else None
    if names is None:
        return "a batch that names no cases"
    return f"cases {', '.join(dict.fromkeys(map(str, names)))}"
