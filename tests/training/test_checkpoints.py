"""A training that is stopped, killed or damaged goes on to the weights it would have had."""

import csv
import errno
import multiprocessing
import os
import random
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from ignite.engine import Events

from medseg.errors import DataError, ExitCode, TrainingStoppedError, UsageError, user_error
from medseg.networks import save_weights, trained_setting
from medseg.training import Checkpoints, Control, require_start, training_parts
from medseg.training.checkpoint_files import checkpoint_paths, newest_checkpoint
from tests.training.tiny import EPOCHS, ITERATIONS, RandNoise, network, run, train, training

# Forked, as a start of Python takes longer than the training.
processes = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The training without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    train(folder)
    return folder


def left_by(folder):
    """All that a training leaves which does not tell the time."""
    rows = list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))
    path, state = newest_checkpoint(folder / "checkpoints")
    network = {name: value.tolist() for name, value in state["parts"]["network"].items()}
    return {
        "safetensors": (folder / "models" / "model.safetensors").read_bytes(),
        "pt": torch.load(folder / "models" / "model.pt", weights_only=True).keys(),
        "rows": [{**row, "seconds": ""} for row in rows],
        "last": (path.name, network, state["random"]["torch"].tolist()),
    }


def interrupt(trainer, iteration):
    """Send this process a SIGTERM within an iteration."""
    trainer.add_event_handler(
        Events.ITERATION_STARTED(once=iteration), lambda: os.kill(os.getpid(), signal.SIGTERM)
    )


def killed_after(folder, seconds, **choices):
    process = processes.Process(target=train, args=(folder,), kwargs=choices)
    process.start()
    process.join(seconds)
    process.kill()
    process.join()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_in_two_parts_is_the_training_in_one(whole, tmp_path, workers):
    train(tmp_path, epochs=2, num_workers=workers)
    # What another program, or another part of this one, has drawn since does not matter.
    random.seed(7), np.random.seed(7)  # noqa: NPY002 - it is the global generator that is meant
    train(tmp_path, start="resume", num_workers=workers)
    assert left_by(tmp_path) == left_by(whole)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("iteration", [1, ITERATIONS + 2, 2 * ITERATIONS])
def test_sigterm_finishes_the_step_saves_and_can_be_gone_on_from(
    whole, tmp_path, iteration, workers
):
    before = signal.getsignal(signal.SIGTERM)
    trainer = training(tmp_path, num_workers=workers)
    interrupt(trainer, iteration)
    with pytest.raises(
        TrainingStoppedError, match=r"saved in .*; continue with start=resume"
    ) as stop:
        run(trainer)
    assert stop.value.exit_code == ExitCode.INTERRUPTED == 75
    assert "\n" not in str(stop.value)
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["iteration"] == iteration
    assert signal.getsignal(signal.SIGTERM) is before
    train(tmp_path, start="resume", num_workers=workers)
    assert left_by(tmp_path) == left_by(whole)


def test_with_accumulated_gradients_sigterm_waits_for_the_step(tmp_path):
    # Steps after 2 and, at the end of the epoch, 3 iterations; the signal comes in the first.
    train(tmp_path / "whole", accumulation_steps=2)
    trainer = training(tmp_path / "parts", accumulation_steps=2)
    interrupt(trainer, 1)
    with pytest.raises(TrainingStoppedError, match="after iteration 2"):
        run(trainer)
    train(tmp_path / "parts", start="resume", accumulation_steps=2)
    assert left_by(tmp_path / "parts") == left_by(tmp_path / "whole")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_training_killed_at_any_moment_goes_on(whole, tmp_path):
    # Each process is killed somewhere; the first may not have come to its first line.
    moments = random.Random(0)
    for _ in range(4):
        killed_after(tmp_path, moments.uniform(0.05, 0.4), start="resume")
    train(tmp_path, start="resume")
    assert left_by(tmp_path) == left_by(whole)
    assert list(tmp_path.rglob(".*")) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_killed_twenty_times_goes_on_and_loses_no_epoch(tmp_path, workers):
    moments, reached = random.Random(workers), 0
    whole, parts, choices = tmp_path / "1", tmp_path / "2", {"epochs": 60, "num_workers": workers}
    train(whole, epochs=60)
    for _ in range(20):
        killed_after(parts, moments.uniform(0.1, 0.6), start="resume", **choices)
        found = newest_checkpoint(parts / "checkpoints")
        epoch = found[1]["epoch"] if found else 0
        assert epoch >= reached
        reached = epoch
    train(parts, start="resume", **choices)
    assert left_by(parts) == left_by(whole)


class Killed(BaseException):
    """What stands for the end of the process at a chosen line."""


@pytest.mark.parametrize("write", range(1, 9))
def test_a_kill_between_any_two_writes_loses_at_most_an_epoch(whole, tmp_path, monkeypatch, write):
    # Writes of an epoch: weights, their .pt, table, its .jsonl, digest, checkpoint; the
    # checkpoint of the beginning has two. The process ends before one of the next eight.
    count, replace = iter(range(1, 1000)), Path.replace

    def counted(path, target):
        if next(count) == 2 + 6 + write:
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", counted)
        with pytest.raises(Killed):
            train(tmp_path)
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"] == (1 if write <= 6 else 2)
    train(tmp_path, start="resume")
    assert left_by(tmp_path) == left_by(whole)


@pytest.mark.parametrize("spoil", ["cut", "flipped", "digest gone"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(whole, tmp_path, spoil, caplog):
    train(tmp_path, epochs=3)
    before, newest = checkpoint_paths(tmp_path / "checkpoints")
    content = newest.read_bytes()
    if spoil == "digest gone":
        newest.with_name(f"{newest.name}.sha256").unlink()
    elif spoil == "cut":
        newest.write_bytes(content[:-100])
    else:
        newest.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    assert newest_checkpoint(tmp_path / "checkpoints")[0] == before
    assert f"{newest} is damaged" in caplog.text
    train(tmp_path, start="resume")
    assert left_by(tmp_path) == left_by(whole)


def test_where_all_are_damaged_no_training_begins(tmp_path):
    train(tmp_path, epochs=1)
    for path in checkpoint_paths(tmp_path / "checkpoints"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="every checkpoint there is damaged"):
        train(tmp_path, start="resume")


def test_a_full_disk_ends_the_training_and_leaves_the_checkpoints(whole, tmp_path):
    trainer = training(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    @trainer.on(Events.ITERATION_STARTED(once=2 * ITERATIONS + 1))
    def fill():
        # A limit of the file size stands in for it: writing fails half way.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))

    try:
        with pytest.raises(OSError, match="File too large") as stop:
            run(trainer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert stop.value.errno == errno.EFBIG
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"] == 2
    train(tmp_path, start="resume")
    assert left_by(tmp_path) == left_by(whole)


def test_a_changed_setting_is_refused_by_name(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(
        UsageError,
        match=r"settings changed since this checkpoint: learning_rate was 0\.05, is 0\.1; restore",
    ):
        train(tmp_path, start="resume", learning_rate=0.1)
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"] == 1


def test_better_weights_are_not_replaced_by_worse(tmp_path):
    train(tmp_path, epochs=1)
    path = tmp_path / "models" / "model.safetensors"
    # As if the epoch that was lost had scored 1, which no other does.
    save_weights(network(), path, {"epoch": 2, "val_mean_dice": 1.0})
    content = path.read_bytes()
    path.with_suffix(".pt").unlink()
    train(tmp_path, start="resume")
    assert path.read_bytes() == content
    assert path.with_suffix(".pt").exists()


def test_weights_that_were_to_be_replaced_do_not_count_as_better(tmp_path):
    path = tmp_path / "models" / "model.safetensors"
    save_weights(network(), path, {"epoch": 2, "val_mean_dice": 1.0})
    trainer = training(tmp_path, overwrite="replace")
    interrupt(trainer, 1)
    with pytest.raises(TrainingStoppedError):
        run(trainer)
    train(tmp_path, start="resume")
    assert trained_setting(path, "val_mean_dice", None) < 1


def test_resuming_what_is_over_changes_nothing(whole, tmp_path):
    train(tmp_path)
    assert train(tmp_path, start="resume").state.epoch == EPOCHS
    assert left_by(tmp_path) == left_by(whole)


def test_a_fresh_start_does_not_touch_an_earlier_trainings_checkpoints_unless_told(tmp_path):
    train(tmp_path, epochs=1)
    (tmp_path / "models" / "model.safetensors").unlink()
    with pytest.raises(UsageError, match="use start=resume to continue it"):
        training(tmp_path)
    train(tmp_path, overwrite="replace", epochs=1)
    epochs = [newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"]]
    assert epochs == [1]


def test_parts_are_not_built_over_an_earlier_training_by_who_asks_for_the_trainer_alone(tmp_path):
    train(tmp_path, epochs=1)
    net = network()
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    with pytest.raises(UsageError, match="holds the weights of an earlier training"):
        training_parts(
            net, optimizer, class_names=["background", "one"], settings={},
            control=Control(output_dir=str(tmp_path))
        )  # fmt: skip


def test_weights_without_a_checkpoint_are_no_training_to_resume(tmp_path):
    weights, folder = tmp_path / "model.safetensors", tmp_path / "checkpoints"
    require_start(str(weights), str(folder), start="resume", overwrite="refuse")
    weights.touch()
    with pytest.raises(UsageError, match="there is no checkpoint in"):
        require_start(str(weights), str(folder), start="resume", overwrite="refuse")
    with pytest.raises(
        UsageError, match="holds the weights of an earlier training; use another ckpt_dir"
    ):
        require_start(str(weights), str(folder), start="fresh", overwrite="refuse")
    require_start(str(weights), str(folder), start="fresh", overwrite="replace")
    with pytest.raises(UsageError, match="overwrite must be one of refuse, replace, got 'yes'"):
        require_start(str(weights), str(folder), start="fresh", overwrite="yes")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"start": "again"}, "start must be one of fresh, resume, got 'again'"),
        ({"parts": {}}, "parts must have network and optimizer"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, choice, message):
    net = network()
    parts = {"network": net, "optimizer": torch.optim.SGD(net.parameters(), lr=1)}
    arguments = {"parts": parts, "settings": {}, **choice}
    with pytest.raises(UsageError, match=message):
        Checkpoints(str(tmp_path), **arguments)


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    trainer = training(tmp_path)

    @trainer.on(Events.ITERATION_COMPLETED(once=2 * ITERATIONS))
    def spoil():
        with torch.no_grad():
            trainer.network[0].weight[0] = torch.nan

    with pytest.raises(UsageError, match=r"weights 0\.weight are no longer finite"):
        run(trainer)
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"] == 1


def worker_kills_itself(number):
    """An augmentation that stands for the kernel's killer of processes that take too much."""

    class RandKiller(RandNoise):
        def __call__(self, case):
            if torch.utils.data.get_worker_info() and self.R.rand() < number:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__call__(case)

    return RandKiller()


def test_a_killed_worker_ends_in_one_line_and_can_be_gone_on_from(whole, tmp_path):
    train(tmp_path, epochs=2, num_workers=2)
    trainer = training(tmp_path, start="resume", num_workers=2)
    trainer.data_loader.dataset._augmentation = worker_kills_itself(1.0)
    with pytest.raises(RuntimeError) as stop:
        run(trainer)
    told = user_error(stop.value)
    assert told.exit_code == ExitCode.ENVIRONMENT
    assert "a worker of the data loader was killed" in str(told)
    assert "\n" not in str(told)
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"] == 2
    train(tmp_path, start="resume", num_workers=2)
    assert left_by(tmp_path) == left_by(whole)


def test_a_checkpoint_that_is_a_folder_or_a_link_to_nowhere_is_passed_over(tmp_path, whole):
    folder = tmp_path / "checkpoints"
    shutil.copytree(whole / "checkpoints", folder)
    newest = checkpoint_paths(folder)[-1]
    (folder / "checkpoint_99999998.safetensors").mkdir()
    (folder / "checkpoint_99999999.safetensors").symlink_to(tmp_path / "nowhere")
    assert newest_checkpoint(folder)[0] == newest
