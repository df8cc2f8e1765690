"""Ctrl-C and a file named STOP: the one can be gone on from, the other ends a training for good."""

import csv
import logging
import os
import signal

import pytest
from ignite.engine import Events

from medseg.errors import ExitCode, TrainingStoppedError
from medseg.networks import trained_setting
from medseg.training.checkpoint_files import newest_checkpoint
from tests.training.test_checkpoints import left_by
from tests.training.tiny import EPOCHS, ITERATIONS, run, train, training


def at(trainer, iteration, act):
    """Do something within an iteration."""
    trainer.add_event_handler(Events.ITERATION_STARTED(once=iteration), lambda: act())


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_finishes_the_step_saves_and_can_be_gone_on_from(tmp_path):
    train(tmp_path / "whole")
    before = signal.getsignal(signal.SIGINT)
    trainer = training(tmp_path / "parts")
    at(trainer, ITERATIONS + 2, ctrl_c)
    with pytest.raises(TrainingStoppedError, match="stopped by Ctrl-C in epoch 2") as stop:
        run(trainer)
    assert stop.value.exit_code == ExitCode.INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is before
    assert f"are {tmp_path / 'parts' / 'models' / 'model.safetensors'}" in str(stop.value)
    train(tmp_path / "parts", start="resume")
    assert left_by(tmp_path / "parts") == left_by(tmp_path / "whole")


def test_before_the_first_validation_it_says_that_there_are_no_weights(tmp_path):
    trainer = training(tmp_path)
    at(trainer, 1, ctrl_c)
    with pytest.raises(TrainingStoppedError, match="no validation yet, so there are no weights"):
        run(trainer)


def test_a_second_ctrl_c_ends_at_once(tmp_path):
    trainer = training(tmp_path)
    at(trainer, 2, ctrl_c)
    at(trainer, 2, ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        run(trainer)
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["iteration"] == 0


def test_the_workers_of_a_loader_leave_ctrl_c_to_the_training(tmp_path):
    trainer = training(tmp_path, num_workers=2)

    def to_the_workers():
        # A terminal sends it to all processes of its group.
        for worker in trainer.data_loader._iterator._workers:
            os.kill(worker.pid, signal.SIGINT)
            os.kill(worker.pid, signal.SIGINT)

    at(trainer, 2, to_the_workers)
    run(trainer)
    assert trainer.state.epoch == EPOCHS


def test_a_ctrl_c_that_is_ignored_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        trainer = training(tmp_path)
        at(trainer, 2, ctrl_c)
        run(trainer)
    finally:
        signal.signal(signal.SIGINT, before)
    assert trainer.state.epoch == EPOCHS


@pytest.mark.parametrize("iteration", [1, ITERATIONS + 2, 2 * ITERATIONS])
def test_a_stop_file_ends_a_training_with_weights_and_it_can_be_gone_on_from(tmp_path, iteration):
    train(tmp_path / "whole")
    folder = tmp_path / "parts"
    trainer = training(folder)
    at(trainer, iteration, (folder / "STOP").touch)
    run(trainer)
    assert trainer.state.iteration == iteration
    assert not (folder / "STOP").exists()
    # The epoch that it ended is validated.
    assert trainer.evaluator.state.epoch == -(-iteration // ITERATIONS)
    assert trained_setting(folder / "models" / "model.safetensors", "val_mean_dice", None) > 0
    train(folder, start="resume")
    assert left_by(folder)["last"] == left_by(tmp_path / "whole")["last"]


def test_the_part_of_an_epoch_that_was_is_a_row_of_the_table(tmp_path):
    trainer = training(tmp_path)
    at(trainer, ITERATIONS + 1, (tmp_path / "STOP").touch)
    run(trainer)
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[1]["val_mean_dice"]
    train(tmp_path, start="resume")
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]


def test_an_epoch_without_validation_is_validated_when_a_stop_file_ends_it(tmp_path):
    trainer = training(tmp_path, val_interval=EPOCHS)
    at(trainer, ITERATIONS, (tmp_path / "STOP").touch)
    run(trainer)
    assert trained_setting(tmp_path / "models" / "model.safetensors", "epoch", None) == 1


def test_a_stop_file_of_an_earlier_training_stops_none(tmp_path, caplog):
    tmp_path.joinpath("STOP").touch()
    with caplog.at_level(logging.WARNING, logger="medseg"):
        assert train(tmp_path).state.epoch == EPOCHS
    assert f"{tmp_path / 'STOP'}: there since before this training; removed" in caplog.messages
