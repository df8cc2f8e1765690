"""Several processes of one training: together they are one with larger batches, and stop together.

Two processes with gloo, forked, as a start of Python takes longer than the trainings.
"""

import multiprocessing
import os
import signal
from datetime import timedelta

import ignite.distributed as idist
import pytest
import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from torch import nn

from medseg.errors import TrainingStoppedError
from medseg.training import AgreedScores, Control, EarlyStop, training_parts
from medseg.training.checkpoint_files import newest_checkpoint
from tests.training.tiny import run, training

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

WORLD = 2
processes = multiprocessing.get_context("fork")


def in_processes(work, folder, *arguments):
    """What `work(rank, folder, *arguments)` gives in each of two processes."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "store"
    store.unlink(missing_ok=True)
    told = processes.Queue()
    started = [
        processes.Process(target=_within, args=(number, store, told, work, folder, arguments))
        for number in range(WORLD)
    ]
    for process in started:
        process.start()
    try:
        answers = dict(told.get(timeout=60) for _ in started)
    finally:
        for process in started:
            process.join(10)
            process.kill()
    return [answers[number] for number in range(WORLD)]


def _within(number, store, told, work, folder, arguments):
    torch.set_num_threads(1)
    os.environ["LOCAL_RANK"] = str(number)  # as torchrun does
    dist.init_process_group(
        "gloo",
        init_method=f"file://{store}",
        rank=number,
        world_size=WORLD,
        timeout=timedelta(seconds=30),
    )
    told.put((number, work(number, folder, *arguments)))
    # Not before the parent has it: the queue's thread would die with the process.
    told.close()
    told.join_thread()
    os._exit(0)


def without_batch_statistics():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))


def share_of_training(number, folder, choices):
    """One process's part of a training, in the folder that all share."""
    choices = dict(choices)
    term = choices.pop("term", None)
    net = without_batch_statistics()
    trainer = training(folder, net=net, **choices)
    cases = []

    @trainer.on(Events.GET_BATCH_COMPLETED)
    def note(engine):
        cases.append(sorted(engine.state.batch["case"]))

    if term and number == 1:
        trainer.add_event_handler(
            Events.ITERATION_STARTED(once=term), lambda: os.kill(os.getpid(), signal.SIGTERM)
        )
    try:
        run(trainer)
    except TrainingStoppedError as error:
        return "stopped", trainer.state.iteration, str(error)
    weights = {name: value.tolist() for name, value in net.state_dict().items()}
    return weights, cases, trainer.state.epoch


def seen_by_ignite(number, _):
    """What ignite makes of a process group that torch was told to make."""
    return idist.get_rank(), idist.get_world_size(), idist.all_reduce(number, "MAX")


def test_ignite_sees_the_group_that_a_bundle_makes(tmp_path):
    assert in_processes(seen_by_ignite, tmp_path) == [(0, 2, 1), (1, 2, 1)]


def test_without_a_group_a_process_keeps_its_own_scores():
    engine = Engine(lambda *_: None)
    AgreedScores().attach(engine)
    scores = {"dice": 0.123456789012345, "named": {"lung": 0.5}}
    engine.add_event_handler(Events.STARTED, lambda: engine.state.metrics.update(scores))
    engine.run([0], max_epochs=1)
    assert engine.state.metrics == scores


def test_two_processes_are_one_with_batches_of_twice_the_size(tmp_path):
    first, second = in_processes(share_of_training, tmp_path, {"batch_size": 1})
    assert first[0] == second[0]
    net = without_batch_statistics()
    whole = training(tmp_path / "one", net=net, batch_size=2)
    cases = []
    whole.add_event_handler(
        Events.GET_BATCH_COMPLETED, lambda engine: cases.append(sorted(engine.state.batch["case"]))
    )
    run(whole)
    assert [sorted(one + other) for one, other in zip(first[1], second[1], strict=True)] == cases
    for name, value in net.state_dict().items():
        torch.testing.assert_close(torch.tensor(first[0][name]), value, rtol=1e-4, atol=1e-5)


def average_at_the_start(number, folder):
    """The moving average before the first step, of a network that each process draws for itself."""
    torch.manual_seed(number)
    net = nn.Conv2d(1, 2, 3)
    parts = training_parts(
        net,
        torch.optim.SGD(net.parameters(), lr=0.1),
        class_names=["background", "one"],
        settings={},
        control=Control(output_dir=str(folder), ema=0.9),
    )
    return [tensor.tolist() for tensor in parts.validated.state_dict().values()]


def test_the_average_of_each_process_begins_with_the_first_ones_weights(tmp_path):
    first, second = in_processes(average_at_the_start, tmp_path)
    assert first == second


def test_a_signal_to_one_process_stops_both_after_the_same_step_and_they_go_on(tmp_path):
    whole = in_processes(share_of_training, tmp_path / "whole", {"batch_size": 1})
    stopped = in_processes(share_of_training, tmp_path / "parts", {"batch_size": 1, "term": 4})
    assert [answer[:2] for answer in stopped] == [("stopped", 4)] * 2
    saved = newest_checkpoint(tmp_path / "parts" / "checkpoints")
    assert saved[1]["iteration"] == 4
    parts = in_processes(
        share_of_training, tmp_path / "parts", {"batch_size": 1, "start": "resume"}
    )
    assert [answer[0] for answer in parts] == [answer[0] for answer in whole]


def test_the_time_of_one_process_is_over_for_both(tmp_path):
    ended = in_processes(share_of_training, tmp_path, {"batch_size": 1, "max_minutes": 1e-9})
    assert [answer[2] for answer in ended] == [1, 1]


def scores_apart(number, _):
    """A training whose processes see other scores: when does each stop, and at what rate?"""
    # By its own scores the second would go on; the first one's are no better after two epochs.
    scores = [[0.5, 0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4, 0.5]][number]
    trainer, evaluator = Engine(lambda *_: None), Engine(lambda *_: None)
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", factor=0.5, patience=0
    )

    @evaluator.on(Events.EPOCH_COMPLETED)
    def score(engine):
        engine.state.metrics["dice"] = scores[trainer.state.epoch - 1]

    AgreedScores().attach(evaluator)

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate(engine):
        evaluator.state.max_epochs = None
        evaluator.run([0], max_epochs=1)
        evaluator.state.epoch = engine.state.epoch
        plateau.step(evaluator.state.metrics["dice"])

    EarlyStop(evaluator, metric="dice", patience=2).attach(trainer)
    trainer.run([0], max_epochs=5)
    return trainer.state.epoch, optimizer.param_groups[0]["lr"], evaluator.state.metrics["dice"]


def test_early_stop_and_plateau_go_by_the_first_processs_scores_in_both(tmp_path):
    assert in_processes(scores_apart, tmp_path) == [(3, 0.25, 0.3)] * 2
