"""When a training is over, what is on disk and in memory is the best it had, by its own scores."""

import csv

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from medseg.errors import DataError
from medseg.networks import load_weights, save_weights, trained_setting
from medseg.training import BestWeights, RestoreBest
from tests.training.tiny import network, train, training

# Large enough that the first epoch is the best by far.
RATE, EPOCHS = 5.0, 8


def plain(net, path):
    net.load_state_dict(torch.load(path, weights_only=True))


@pytest.mark.parametrize("ema", [{}, {"ema": 0.5}])
def test_weights_on_disk_and_in_memory_score_what_the_table_says_of_the_best_epoch(tmp_path, ema):
    trainer = train(tmp_path, learning_rate=RATE, epochs=EPOCHS, **ema)
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    scores = [float(row["val_mean_dice"]) for row in rows]
    assert scores[-1] < max(scores)
    models = tmp_path / "models"
    networks = [trainer.network, network(), network()]
    load_weights(networks[1], models / "model.safetensors")
    plain(networks[2], models / "model.pt")
    for number, net in enumerate(networks):
        # A training of no epoch more: its evaluator, around these weights.
        again = training(tmp_path / str(number), net=net)
        evaluator = again.evaluator
        evaluator.run()
        assert evaluator.state.metrics["val_mean_dice"] == pytest.approx(max(scores), abs=1e-5)


def test_a_training_goes_on_from_its_last_weights_and_not_from_the_restored_ones(tmp_path):
    train(tmp_path / "whole", learning_rate=RATE, epochs=EPOCHS)
    train(tmp_path / "parts", learning_rate=RATE, epochs=EPOCHS // 2)
    train(tmp_path / "parts", learning_rate=RATE, epochs=EPOCHS, start="resume")
    whole, parts = (tmp_path / name / "models" / "model.safetensors" for name in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()


def test_where_no_validation_had_a_score_the_last_weights_stay_and_are_told_of(tmp_path, caplog):
    net = nn.Linear(1, 1)
    before = net.weight.item()
    trainer = Engine(lambda *_: None)
    RestoreBest(net, str(tmp_path / "model.safetensors")).attach(trainer)
    trainer.run([0], max_epochs=1)
    assert net.weight.item() == before
    assert "no best weights were saved there; keeping the last ones" in caplog.text


def test_a_training_that_ends_early_is_restored_too(tmp_path):
    net = nn.Linear(1, 1)
    path = tmp_path / "model.safetensors"
    best = net.weight.item()
    trainer = Engine(lambda *_: nn.init.zeros_(net.weight))
    trainer.add_event_handler(Events.STARTED, lambda _: save_weights(net, path, {}))
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: engine.terminate())
    RestoreBest(net, str(path)).attach(trainer)
    trainer.run([0, 0], max_epochs=2)
    assert net.weight.item() == best


@pytest.mark.parametrize("start", ["fresh", "resume"])
def test_weights_of_an_earlier_training_are_not_taken_for_the_best(start, tmp_path, caplog):
    net, path = nn.Linear(1, 1), tmp_path / "model.safetensors"
    save_weights(net, path, {})
    before = net.weight.item()
    trainer = Engine(lambda *_: nn.init.zeros_(net.weight))
    RestoreBest(net, str(path), start=start).attach(trainer)
    trainer.run([0], max_epochs=1)
    # Of a training that is gone on with, what lies there is its own.
    assert net.weight.item() == (0 if start == "fresh" else before)
    assert ("keeping the last ones" in caplog.text) == (start == "fresh")


def test_the_same_training_again_over_its_own_weights_ends_with_the_best(tmp_path):
    first = train(tmp_path, learning_rate=RATE, epochs=EPOCHS)
    again = train(tmp_path, learning_rate=RATE, epochs=EPOCHS, overwrite="replace")
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_first_of_equal_scores_is_kept(tmp_path):
    net = nn.Linear(1, 1, bias=False)
    evaluator = Engine(lambda *_: None)
    evaluator.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: engine.state.metrics.update(dice=0.5)
    )
    path = tmp_path / "model.safetensors"
    BestWeights(net, str(path), metric="dice", settings={}).attach(evaluator)
    for weight in (1.0, 2.0):
        nn.init.constant_(net.weight, weight)
        evaluator.run([0], max_epochs=1)
    load_weights(net, path)
    assert net.weight.item() == 1.0


def test_resuming_on_damaged_weights_is_refused_in_one_line(tmp_path):
    train(tmp_path, epochs=2)
    path = tmp_path / "models" / "model.safetensors"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="copy it again; or remove it and resume") as caught:
        train(tmp_path, start="resume")
    assert "\n" not in str(caught.value)
    path.unlink()
    train(tmp_path, start="resume")
    load_weights(network(), path)


def test_resuming_without_the_best_weights_keeps_the_best_from_there_on(tmp_path, caplog):
    train(tmp_path, learning_rate=RATE, epochs=2)
    (tmp_path / "models" / "model.safetensors").unlink()
    train(tmp_path, learning_rate=RATE, epochs=4, start="resume")
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    later = [float(row["val_mean_dice"]) for row in rows][2:]
    saved = trained_setting(tmp_path / "models" / "model.safetensors", "val_mean_dice", None)
    assert saved == pytest.approx(max(later), abs=1e-5)
    assert "are not there; the best from here on are saved" in caplog.text


def test_the_pt_file_is_not_written_again_on_resuming(tmp_path):
    train(tmp_path, epochs=2)
    path = tmp_path / "models" / "model.pt"
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    train(tmp_path, epochs=2, start="resume")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)
