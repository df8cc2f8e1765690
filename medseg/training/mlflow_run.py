"""MLflow logging of the rows of `metrics.csv`: one run per training, one step per epoch.

MONAI's own logging (`run --tracking mlflow`) requires each step's output to be split into a list
of cases, which costs time and has no other use here; and a resumed training would become a second
run.
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
    """Handler of a trainer, after its `EpochTable`: log each new row to an MLflow store.

    The run begins with the first row and ends with the training. If the training is stopped, the
    run stays open, and is continued when `Checkpoints` resumes this handler.
    """

    def __init__(self, table: EpochTable, uri: str, *, experiment: str) -> None:
        """Check that MLflow is installed; the store is opened at the first row.

        Args:
            table: The table whose rows are logged.
            uri: URI of the store, such as `sqlite:///runs.db` or `http://host:5000`.
            experiment: Name of the experiment; created if missing.

        Raises:
            MachineError: If MLflow is not installed.
        """
        try:
            # An optional extra, which type checkers may not find.
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
        """Log the row of the epoch that just ended."""
        self._open()
        for name, value in self.table.rows[-1].items():
            if name != "epoch":
                self._client.log_metric(self._run, name, value, step=engine.state.epoch)

    def state_dict(self) -> dict[str, Any]:
        """The id of the run."""
        return {"run": self._run}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue a run."""
        self._run = state["run"]

    def _open(self) -> None:
        self._client = self._client or self._make(tracking_uri=self.uri)
        if self._run is None:
            experiment = self._client.get_experiment_by_name(self.experiment)
            number = (
                self._client.create_experiment(self.experiment)
                if experiment is None
                else experiment.experiment_id
            )
            self._run = self._client.create_run(number).info.run_id

    def _end(self, _: EngineLike) -> None:
        if self._client is not None:
            self._client.set_terminated(self._run)
