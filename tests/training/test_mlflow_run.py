"""An MLflow store is told what the epoch table holds, by one run a training."""

import sys

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from medseg.errors import MachineError
from medseg.training import EpochTable, MlflowRun

# MLflow and its store's migrations have deprecations of their own.
pytestmark = pytest.mark.filterwarnings("ignore")


def engines(folder, uri):
    trainer = Engine(lambda engine, _: {"loss": torch.tensor(float(engine.state.epoch))})
    evaluator = Engine(lambda *_: None)

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate(engine):
        evaluator.state.epoch = engine.state.epoch
        evaluator.state.metrics["dice"] = engine.state.epoch / 10

    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    table = EpochTable(
        str(folder / "metrics.csv"), optimizer=optimizer, evaluator=evaluator, metrics=["dice"]
    )
    run = MlflowRun(table, uri, experiment="toy")
    table.attach(trainer)
    run.attach(trainer)
    return trainer, run


def test_a_run_has_each_epochs_row_and_a_resumed_training_goes_on_with_it(tmp_path):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    trainer, run = engines(tmp_path, uri)
    trainer.run([0], max_epochs=2)
    again, resumed = engines(tmp_path, uri)
    resumed.load_state_dict(run.state_dict())
    again.state.epoch, again.state.iteration = 2, 2
    again.run([0], max_epochs=3)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("toy")
    (known,) = client.search_runs([experiment.experiment_id])
    assert known.info.status == "FINISHED"
    history = client.get_metric_history(known.info.run_id, "dice")
    assert {point.step: point.value for point in history} == {1: 0.1, 2: 0.2, 3: 0.3}
    assert known.data.metrics["train_loss"] == 3
    assert known.data.metrics["learning_rate"] == pytest.approx(0.1)


def test_without_mlflow_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(MachineError, match=r"pip install 'medseg\[mlflow\]'"):
        engines(tmp_path, "sqlite://")
