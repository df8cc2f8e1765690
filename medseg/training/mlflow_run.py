"""Tell an MLflow store what `metrics.csv` tells: a run a training, a step an epoch.

MONAI's own way (`run --tracking mlflow`) wants the output of each step taken apart into a list of
cases, which costs time and has no use here; and a training that is taken up again would become
a second run.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ignite.engine import Events

from medseg.errors import MachineError
from medseg.training.epoch_table import EpochTable
from medseg.training.ignite_engine import EngineLike

__all__ = ["MlflowRun"]


class MlflowRun:
    """Handler of a trainer, after its `EpochTable`: each new row goes to an MLflow store.

    With the first row the run begins. It is ended with the training; one that was stopped stays
    open, and as a part of `Checkpoints` this handler goes on with it.
    """

    def __init__(self, table: EpochTable, uri: str, *, experiment: str) -> None:
        """Look for MLflow; nothing is opened before there is something to tell.

        Args:
            table: Whose rows are told.
            uri: The store's, such as `sqlite:///runs.db` or `http://host:5000`.
            experiment: What the run belongs to; made where it is missing.

        Raises:
            MachineError: If MLflow is not installed.
        """
        try:
            # An extra, so not there for every checker of types.
            tracking: Any = import_module("mlflow.tracking")
        except ImportError as error:
            raise MachineError(
                "mlflow is not installed; pip install 'medseg[mlflow]', or set mlflow to null"
            ) from error
        self.table = table
        self.uri = uri
        self.experiment = experiment
        self._make: Any = tracking.MlflowClient
        self._client: Any = None
        self._run: str | None = None

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after the table."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._end)

    def __call__(self, engine: EngineLike) -> None:
        """Tell the row of the epoch that just ended."""
        self._open()
        for name, value in self.table.rows[-1].items():
            if name != "epoch":
                self._client.log_metric(self._run, name, value, step=engine.state.epoch)

    def state_dict(self) -> dict[str, Any]:
        """Which run it is."""
        return {"run": self._run}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with a run."""
        self._run = state["run"]

    def _open(self) -> None:
        self._client = self._client or self._make(tracking_uri=self.uri)
        if self._run is None:
            known = self._client.get_experiment_by_name(self.experiment)
            number = (
                self._client.create_experiment(self.experiment)
                if known is None
                else known.experiment_id
            )
            self._run = self._client.create_run(number).info.run_id

    def _end(self, _: EngineLike) -> None:
        if self._client is not None:
            self._client.set_terminated(self._run)
