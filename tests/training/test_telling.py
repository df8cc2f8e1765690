"""What a training tells: how long it takes, what is left, how it ended, what comes next."""

import logging
import re
import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ignite.engine import Events

from medseg.networks import trained_setting
from medseg.training.time_left import Pace, TimeLeft, duration_text, seconds_left, validations_left
from tests.training.tiny import EPOCHS, run, train, training


def told(caplog, start):
    """The lines of a training that begin so."""
    return [line for line in caplog.messages if line.startswith(start)]


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="medseg")
    return caplog


def test_what_is_left_is_steps_and_validations():
    # 90 steps of 2 s and 3 validations of 20 s.
    pace = Pace(step_seconds=2.0, validation_seconds=20.0)
    assert seconds_left(pace, steps=90, validations=3) == 240


@pytest.mark.parametrize(
    ("done", "left"),
    # Of 10 epochs, validated after 4 and 8.
    [(0, 2), (3, 2), (4, 1), (7, 1), (8, 0), (10, 0)],
)
def test_validations_that_are_left_are_those_of_later_epochs(done, left):
    assert validations_left(done, 10, 4) == left


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 30))
def test_the_validations_left_are_counted_right(done, epochs, every):
    counted = sum(epoch % every == 0 for epoch in range(done + 1, epochs + 1))
    assert validations_left(done, epochs, every) == counted


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.421, "0.42 s"), (40, "40 s"), (89, "89 s"), (720, "12 min"),
     (7140, "119 min"), (12_000, "3 h 20 min"), (7200, "2 h"), (100_000, "27 h")],
)  # fmt: skip
def test_a_duration_is_told_in_the_unit_one_would_use(seconds, text):
    assert duration_text(seconds) == text


def test_before_its_second_epoch_a_training_tells_once_what_it_will_take(tmp_path, log):
    train(tmp_path, early_stop_patience=None, val_interval=2)
    lines = told(log, "about ")
    # Of 4 epochs with 3 steps the first is over.
    assert len(lines) == 1
    assert "(9 steps at " in lines[0]
    assert ", 2 validations at " in lines[0]
    assert log.messages.index(lines[0]) < log.messages.index(told(log, "epoch 1/4")[0])


def test_with_a_time_limit_it_tells_the_epoch_that_ends_it(tmp_path, log):
    train(tmp_path, max_minutes=1e-9)
    assert told(log, "max_minutes=1e-09 ends it at about epoch 1 of 4; all would take about ")


def test_a_quick_pass_tells_what_the_whole_would_take(tmp_path, log):
    train(tmp_path, quick=True)
    line = told(log, "a trial run; without quick=true 4 epochs of 3 steps take about ")[0]
    assert "and 4 validations about " in line


def test_each_epoch_but_the_last_tells_what_is_left(tmp_path, log):
    train(tmp_path)
    lines = [told(log, f"epoch {epoch}/4")[0] for epoch in range(1, EPOCHS + 1)]
    assert all(line.endswith(" left") for line in lines[:-1])
    assert "left" not in lines[-1]


def test_timing_a_validation_changes_nothing_of_the_training(tmp_path, monkeypatch):
    # The forecast of one training is left out; weights and checkpoints are the same bits.
    train(tmp_path / "told")
    monkeypatch.setattr(TimeLeft, "attach", lambda *_: None)
    train(tmp_path / "silent")
    weights = [tmp_path / name / "models" / "model.safetensors" for name in ("told", "silent")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_the_summary_has_the_best_epoch_its_scores_and_the_weights(tmp_path, log):
    train(tmp_path)
    weights = tmp_path / "models" / "model.safetensors"
    epoch, score = (trained_setting(weights, key, None) for key in ("epoch", "val_mean_dice"))
    (done,) = told(log, "done after epoch 4 of 4, in ")
    assert float(re.search(r", peak memory ([0-9.]+) GB$", done).group(1)) > 0.1
    # One class but the background, so its Dice is the mean.
    assert f"best epoch: {epoch}, mean Dice {score:.3f} (one {score:.3f})" in log.messages
    assert f"best weights: {weights}" in log.messages


def test_what_comes_next_can_be_pasted(tmp_path, log, monkeypatch):
    line = ["/venv/bin/medseg", "train", "bundles/my bundle", "dataset_dir=my data"]
    monkeypatch.setattr(sys, "argv", line)
    train(tmp_path, max_minutes=1e-9)
    predict, score, again = (
        shlex.split(told(log, start)[0].removeprefix(start))
        for start in ("to predict: ", "to score: ", "to train on: ")
    )
    assert predict[:3] == ["medseg", "predict", "bundles/my bundle"]
    assert predict[-1] == str(tmp_path / "models" / "model.safetensors")
    assert score[:3] == ["medseg", "train", "bundles/my bundle"]
    assert score[-2:] == ["dataset_dir=my data", f"ckpt_dir={tmp_path / 'models'}"]
    assert again == ["medseg", *line[1:], "start=resume"]


def test_a_training_of_another_program_names_no_command(tmp_path, log, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/home/me/notebook.py"])
    train(tmp_path)
    assert not told(log, "to ")


def test_a_training_without_a_score_says_that_there_are_no_weights(tmp_path, log):
    trainer = training(tmp_path)

    @trainer.evaluator.on(Events.EPOCH_COMPLETED)
    def spoil(engine):
        engine.state.metrics["val_mean_dice"] = float("nan")

    run(trainer)
    assert told(log, "no validation had a score")
    assert not told(log, "best ")
