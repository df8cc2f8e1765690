"""Summary of a training: its best epoch, the scores, where the weights are, and what comes next."""

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ignite.engine import Events

from medseg._memory import peak_memory_bytes
from medseg.networks.weights import trained_setting
from medseg.training.command_line import predict_line, read_line, resume_line, score_line
from medseg.training.control import Control
from medseg.training.epoch_table import EpochTable
from medseg.training.ignite_engine import EngineLike
from medseg.training.parts import KEY_METRIC, TrainingParts
from medseg.training.time_left import duration_text

__all__ = ["Summary", "example_image"]

logger = logging.getLogger(__name__)

_PREFIX = "val_dice_"


class Summary:
    """Handler of a trainer, of the first process only: log a few lines when the training is over.

    Lines with a command begin with what it is for; the rest can be pasted as it is.
    """

    def __init__(
        self,
        parts: TrainingParts,
        *,
        table: EpochTable,
        evaluator: EngineLike,
        control: Control,
        example: str | None,
    ) -> None:
        """Takes the parts.

        Args:
            parts: Its best weights, the names of its classes.
            table: Scores of the epochs.
            evaluator: MONAI's, of the validation.
            control: Where files are.
            example: Image for the line that predicts; None names no file.
        """
        self.parts = parts
        self.table = table
        self.evaluator = evaluator
        self.control = control
        self.example = example
        self._begun = 0.0

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after its checkpoints."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Log the summary."""
        state, weights = engine.state, self.control.weights_path
        lasted = duration_text(time.monotonic() - self._begun)
        done = f"done after epoch {state.epoch} of {state.max_epochs}, in {lasted}"
        peak = peak_memory_bytes()
        logger.info("%s%s", done, f", peak memory {peak / 1e9:.1f} GB" if peak else "")
        if self.parts.best_weights is None or not self.parts.best_weights.has_saved:
            logger.warning("no validation had a score, so there are no best weights")
            return
        best = int(trained_setting(weights, "epoch", 0))
        score = float(trained_setting(weights, KEY_METRIC, float("nan")))
        classes = ", ".join(f"{name} {value:.3f}" for name, value in self._scores(best, score))
        logger.info("best epoch: %d, mean Dice %.3f (%s)", best, score, classes or "one class")
        logger.info("best weights: %s", weights)
        for what, line in self._next(engine):
            logger.info("%s: %s", what, line)

    def _begin(self, _: EngineLike) -> None:
        self._begun = time.monotonic()

    def _scores(self, epoch: int, score: float) -> Sequence[tuple[str, float]]:
        """Dice of each class in the best validation; nothing where it is not known any more."""
        metrics: list[Mapping[str, Any]] = [r for r in self.table.rows if r["epoch"] == epoch]
        if self.evaluator.state.epoch == epoch:
            metrics.append(self.evaluator.state.metrics)
        for row in metrics:
            if abs(float(row.get(KEY_METRIC, -1)) - score) < 1e-4:
                return [
                    (name.removeprefix(_PREFIX), float(row[name]))
                    for name in self.parts.class_metrics
                    if name in row
                ]
        return []

    def _next(self, engine: EngineLike) -> Sequence[tuple[str, str]]:
        line = read_line(sys.argv)
        if line is None:
            return []
        weights = self.control.weights_path
        lines = [("to predict", predict_line(line, weights, self.example or "IMAGE"))]
        if not self.control.quick:
            lines.append(("to score", score_line(line, weights.parent)))
            again = resume_line(sys.argv)
            if again is not None and engine.state.epoch < engine.state.max_epochs:
                lines.append(("to train on", again))
        return lines


def example_image(cases: Any) -> str | None:
    """The image of the first of these cases, if it is one file that is there."""
    first = cast("list[Any]", cases)[0] if isinstance(cases, list) and cases else None
    image = cast("dict[str, Any]", first).get("image") if isinstance(first, dict) else None
    return str(image) if isinstance(image, str | Path) and Path(image).exists() else None
