"""Table of epochs: a row each in `metrics.csv` and `metrics.jsonl`, and a line in the log."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from ignite.engine import Events
from torch.optim import Optimizer

from medseg._csv import csv_text
from medseg._files import remove_remains, write_atomically
from medseg.training.ignite_engine import EngineLike
from medseg.training.time_left import duration_text

__all__ = ["EpochTable"]

logger = logging.getLogger(__name__)


class EpochTable:
    """Handler of a trainer: record loss, learning rate, time and validation scores per epoch.

    Columns are `epoch, train_loss, learning_rate, seconds`, then the evaluator's scalar
    metrics by name; these are empty in an epoch without validation. The files are replaced
    atomically, so a reader never sees half a row.

    Args:
        path: The CSV file; the same rows go into a `.jsonl` beside it, one object per line.
        optimizer: The optimiser whose learning rate is recorded.
        evaluator: The evaluator whose metrics are recorded.
        metrics: Names of the metrics, in column order.
        left: Seconds left of the training, or None; only the log tells them.
    """

    def __init__(
        self,
        path: str,
        *,
        optimizer: Optimizer,
        evaluator: EngineLike,
        metrics: list[str],
        left: Callable[[EngineLike], float | None] | None = None,
    ) -> None:
        self.path = Path(path)
        self.optimizer = optimizer
        self.evaluator = evaluator
        self.metrics = metrics
        self.left = left
        self.rows: list[dict[str, Any]] = []
        self._losses: list[float] = []
        self._resumed = False
        self._started = 0.0

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after its validation handler."""
        # Left by a training that was killed while writing.
        remove_remains(self.path, self.path.with_suffix(".jsonl"))
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._note_loss)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._end)

    def __call__(self, engine: EngineLike) -> None:
        """Add the row of the epoch that just ended."""
        validated = self.evaluator.state.epoch == engine.state.epoch
        scores: Mapping[str, float] = self.evaluator.state.metrics if validated else {}
        row = {
            "epoch": engine.state.epoch,
            "train_loss": round(sum(self._losses) / max(1, len(self._losses)), 5),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "seconds": round(time.monotonic() - self._started, 2),
            **{name: round(float(scores[name]), 5) for name in self.metrics if name in scores},
        }
        self.rows.append(row)
        columns = ["epoch", "train_loss", "learning_rate", "seconds", *self.metrics]
        table = csv_text(columns, ([row.get(c, "") for c in columns] for row in self.rows))
        lines = "".join(f"{json.dumps(row)}\n" for row in self.rows)
        for path, text in ((self.path, table), (self.path.with_suffix(".jsonl"), lines)):
            write_atomically(path, partial(Path.write_text, data=text, encoding="utf-8"))
        scores_text = ", ".join(f"{name} {row[name]:.3f}" for name in self.metrics if name in row)
        logger.info(
            "epoch %d/%s: loss %.4f, lr %.2g, %.0f s%s%s",
            row["epoch"],
            engine.state.max_epochs,
            row["train_loss"],
            row["learning_rate"],
            row["seconds"],
            f", {scores_text}" if scores_text else "",
            self._left_text(engine),
        )

    def _left_text(self, engine: EngineLike) -> str:
        over = engine.state.epoch == engine.state.max_epochs or bool(
            cast("Any", engine).should_terminate
        )
        seconds = None if self.left is None or over else self.left(engine)
        return "" if seconds is None else f"; {duration_text(seconds)} left"

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, and the losses of the running epoch."""
        return {"rows": list(self.rows), "losses": list(self._losses)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state, perhaps in the middle of an epoch."""
        self.rows, self._losses = list(state["rows"]), list(state["losses"])
        self._resumed = True

    def _start(self, engine: EngineLike) -> None:
        within = self._resumed and engine.state.iteration % engine.state.epoch_length != 0
        self._resumed = False
        if not within:
            self._losses.clear()
        self._started = time.monotonic()

    def _end(self, engine: EngineLike) -> None:
        # A training that ended within an epoch: what it validated belongs in the table.
        if engine.state.iteration % engine.state.epoch_length and self._losses:
            self(engine)

    def _note_loss(self, engine: EngineLike) -> None:
        self._losses.append(engine.state.output["loss"].item())
