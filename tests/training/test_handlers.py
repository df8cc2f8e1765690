"""What the handlers of a training promise, on real ignite engines with real steps."""

import csv
import io
import logging
import sys

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from medseg.networks import trained_setting
from medseg.training import BestWeights, EpochTable, ProgressBar


def evaluator_with(scores):
    """An evaluator whose n-th run ends with the n-th score."""
    engine = Engine(lambda *_: None)
    left = iter(scores)

    @engine.on(Events.EPOCH_COMPLETED)
    def score(running):
        running.state.metrics["dice"] = next(left)

    return engine


def weight_in(folder):
    return torch.load(folder / "model.pt", weights_only=True)["weight"].item()


def test_the_weights_of_the_best_validation_are_kept(tmp_path):
    # Scores 0.2, 0.9, 0.5 at weights 1, 2, 3: the second is the best.
    network = nn.Linear(1, 1, bias=False)
    engine = evaluator_with([0.2, 0.9, 0.5])
    best = BestWeights(
        network, str(tmp_path / "model.safetensors"), metric="dice", settings={"depth": 4}
    )
    best.attach(engine)
    for weight in (1.0, 2.0, 3.0):
        nn.init.constant_(network.weight, weight)
        engine.run([0], max_epochs=1)
    assert weight_in(tmp_path) == 2.0
    assert trained_setting(tmp_path / "model.safetensors", "dice", None) == 0.9
    assert trained_setting(tmp_path / "model.safetensors", "depth", None) == 4


def test_a_score_that_is_no_number_is_no_improvement(tmp_path):
    network = nn.Linear(1, 1, bias=False)
    engine = evaluator_with([float("nan"), 0.2, float("nan")])
    BestWeights(network, str(tmp_path / "model.safetensors"), metric="dice", settings={}).attach(
        engine
    )
    for weight in (1.0, 2.0, 3.0):
        nn.init.constant_(network.weight, weight)
        engine.run([0], max_epochs=1)
    assert weight_in(tmp_path) == 2.0


def test_a_place_that_cannot_be_written_is_found_before_the_first_step(tmp_path):
    (tmp_path / "file").touch()
    best = BestWeights(
        nn.Linear(1, 1), str(tmp_path / "file" / "model.safetensors"), metric="dice", settings={}
    )
    with pytest.raises(FileExistsError):
        best.attach(evaluator_with([0.1]))


def test_the_table_has_a_row_an_epoch_and_scores_where_there_was_a_validation(tmp_path, caplog):
    # Losses 1, 2 | 3, 4 | 5, 6: means 1.5, 3.5, 5.5; validated after the second epoch only.
    losses = iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    trainer = Engine(lambda *_: {"loss": torch.tensor(next(losses))})
    evaluator = evaluator_with([0.75])

    @trainer.on(Events.EPOCH_COMPLETED(every=2))
    def validate(engine):
        evaluator.run([0], max_epochs=1)
        # MONAI's evaluators count the trainer's epochs.
        evaluator.state.epoch = engine.state.epoch

    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    path = tmp_path / "metrics.csv"
    EpochTable(str(path), optimizer=optimizer, evaluator=evaluator, metrics=["dice"]).attach(
        trainer
    )
    with caplog.at_level(logging.INFO, logger="medseg"):
        trainer.run([0, 0], max_epochs=3)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [float(row["train_loss"]) for row in rows] == [1.5, 3.5, 5.5]
    assert [row["dice"] for row in rows] == ["", "0.75", ""]
    assert [row["learning_rate"] for row in rows] == ["0.1"] * 3
    told = [record.message for record in caplog.records]
    assert len(told) == 3
    assert told[1].startswith("epoch 2/3: loss 3.5000, lr 0.1")
    assert told[1].endswith("dice 0.750")


class Terminal(io.StringIO):
    """Standard error as a terminal shows it."""

    def isatty(self):
        return True


def run_with_bar(stderr, monkeypatch, where="terminal"):
    monkeypatch.setattr(sys, "stderr", stderr)
    trainer = Engine(lambda *_: {"loss": torch.tensor(0.5)})
    ProgressBar(where).attach(trainer)
    trainer.run([0, 0], max_epochs=3)
    return stderr.getvalue()


def test_a_terminal_shows_a_bar_of_the_epochs_iterations_and_clears_it(monkeypatch):
    shown = run_with_bar(Terminal(), monkeypatch)
    assert "epoch [1/3]: [1/2]" in shown
    assert "loss=0.5" in shown
    assert shown.endswith("\r")


@pytest.mark.parametrize(
    ("stderr", "where"), [(io.StringIO, "terminal"), (Terminal, "nowhere")], ids=["log", "rank 1"]
)
def test_a_log_file_and_the_other_processes_show_no_bar(monkeypatch, stderr, where):
    assert run_with_bar(stderr(), monkeypatch, where) == ""
