"""When a training ends by itself: no better, no time, or no number."""

import math

import pytest
import torch
from ignite.engine import Engine, Events

from medseg.errors import DataError, ExitCode, UsageError
from medseg.networks import load_weights, trained_setting
from medseg.training import EarlyStop, MaxTime
from medseg.training.checkpoint_files import newest_checkpoint
from tests.training.tiny import EPOCHS, ITERATIONS, loss, network, train, training


def stopped_after(scores, *, patience, tolerance=0.0, every=1):
    """The epoch after which a training with these scores ends."""
    evaluator, left = Engine(lambda *_: None), iter(scores)
    trainer = Engine(lambda *_: None)

    @trainer.on(Events.EPOCH_COMPLETED(every=every))
    def validate(engine):
        evaluator.state.epoch = engine.state.epoch
        evaluator.state.metrics["dice"] = next(left)

    EarlyStop(evaluator, metric="dice", patience=patience, tolerance=tolerance).attach(trainer)
    return trainer.run([0], max_epochs=len(scores) * every).epoch


@pytest.mark.parametrize(
    ("scores", "choices", "epoch"),
    [
        # The best is the second; two more are not above it.
        ([0.1, 0.5, 0.4, 0.5, 0.9], {"patience": 2}, 4),
        ([0.1, 0.5, 0.4, 0.6, 0.5], {"patience": 2}, 5),
        # 0.5, then at most 0.1 better: not enough to count.
        ([0.5, 0.55, 0.6, 0.65], {"patience": 2, "tolerance": 0.1}, 3),
        # Small steps count together: the best so far stays 0.5 until 0.65.
        ([0.5, 0.58, 0.65, 0.66, 0.67], {"patience": 2, "tolerance": 0.1}, 5),
        ([math.nan, math.nan, 0.5], {"patience": 2}, 2),
        # Epochs without validation do not count.
        ([0.5, 0.4, 0.4, 0.9], {"patience": 2, "every": 3}, 9),
    ],
)
def test_a_training_ends_after_so_many_validations_without_a_better_score(scores, choices, epoch):
    assert stopped_after(scores, **choices) == epoch


def test_after_an_early_stop_the_weights_are_the_best_and_resuming_trains_no_further(tmp_path):
    choices = {"early_stop_patience": 1, "early_stop_tolerance": 1.0}
    trainer = train(tmp_path, **choices)
    # The first score is the best, the second not better by a whole.
    assert trainer.state.epoch == 2
    assert train(tmp_path, **choices, start="resume").state.epoch == 2


def test_the_weights_that_are_left_are_those_of_the_best_epoch(tmp_path):
    trainer = training(tmp_path)
    networks = {}

    @trainer.on(Events.EPOCH_COMPLETED)
    def keep(engine):
        state = engine.network.state_dict()
        networks[engine.state.epoch] = {name: value.clone() for name, value in state.items()}

    trainer.run()
    path = tmp_path / "models" / "model.safetensors"
    left = network()
    load_weights(left, path)
    epoch = trained_setting(path, "epoch", None)
    assert all(
        torch.equal(networks[epoch][name], value) for name, value in left.state_dict().items()
    )
    scores = [
        row["val_mean_dice"]
        for row in newest_checkpoint(tmp_path / "checkpoints")[1]["parts"]["epoch_table"]["rows"]
    ]
    assert scores[epoch - 1] == max(scores)


def test_a_counted_stop_goes_on_counting_after_a_resume():
    first = EarlyStop(Engine(lambda *_: None), metric="dice", patience=2)
    first._best, first._waited = 0.5, 1
    second = EarlyStop(Engine(lambda *_: None), metric="dice", patience=2)
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == {"best": 0.5, "waited": 1}
    assert not second.exhausted


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"patience": 0}, "early_stop_patience must be a whole number from 1, got 0"),
        ({"patience": 1.5}, "early_stop_patience must be a whole number from 1, got 1.5"),
        (
            {"patience": 1, "tolerance": -1},
            "early_stop_tolerance must be a finite number of at least 0, got -1",
        ),
        (
            {"patience": 1, "tolerance": math.nan},
            "early_stop_tolerance must be a finite number of at least 0, got nan",
        ),
    ],
)
def test_a_patience_that_is_none_is_refused(choices, message):
    with pytest.raises(UsageError, match=message):
        EarlyStop(Engine(lambda *_: None), metric="dice", **choices)


def test_a_training_without_time_has_one_epoch_and_validates_it_and_can_go_on(tmp_path):
    trainer = train(tmp_path, max_minutes=1e-9, val_interval=EPOCHS)
    assert trainer.state.epoch == 1
    assert trained_setting(tmp_path / "models" / "model.safetensors", "epoch", None) == 1
    assert train(tmp_path, val_interval=EPOCHS, start="resume").state.epoch == EPOCHS


def test_a_training_with_time_enough_or_no_end_ends_by_itself(tmp_path):
    for minutes in (1e6, None):
        folder = tmp_path / str(minutes)
        assert train(folder, max_minutes=minutes).state.epoch == EPOCHS


def test_a_schedule_over_minutes_has_on_resuming_those_that_are_left(tmp_path):
    choices = {"schedule": "polynomial", "schedule_over": "minutes", "max_minutes": 1e6}
    train(tmp_path, epochs=EPOCHS, **choices)
    used = newest_checkpoint(tmp_path / "checkpoints")[1]["parts"]["max_time"]["seconds"]
    assert used > 0
    first = MaxTime(Engine(lambda *_: None), 1.0)
    first.load_state_dict({"seconds": 45.0})
    first._begin(None)
    # 45 of 60 seconds.
    assert first.used_share() == pytest.approx(0.75, abs=0.01)


def test_a_schedule_over_minutes_ends_with_them_within_an_epoch_and_is_validated(tmp_path):
    choices = {"schedule": "polynomial", "schedule_over": "minutes", "max_minutes": 1e-9}
    trainer = train(tmp_path, val_interval=EPOCHS, **choices)
    assert trainer.state.iteration == 1
    assert trained_setting(tmp_path / "models" / "model.safetensors", "epoch", None) == 1


def test_the_last_validation_is_within_the_minutes():
    # Of a minute 15 seconds are for it, so that 45 are for steps.
    time = MaxTime(Engine(lambda *_: None), 1.0, reserve=lambda: 15.0)
    time._begin(None)
    time.load_state_dict({"seconds": 44.0})
    assert not time.is_over()
    time.load_state_dict({"seconds": 45.0})
    assert time.is_over()


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"schedule": "polynomial"}, "schedule_over=minutes needs a time limit; set max_minutes"),
        (
            {"schedule": "plateau", "max_minutes": 1},
            "schedule must be one of polynomial, one_cycle",
        ),
    ],
)
def test_a_schedule_over_minutes_without_an_end_is_refused(tmp_path, choices, message):
    with pytest.raises(UsageError, match=message):
        training(tmp_path, schedule_over="minutes", **choices)


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf])
def test_a_time_that_is_none_is_refused(minutes):
    with pytest.raises(UsageError, match="max_minutes must be a finite number above 0"):
        MaxTime(Engine(lambda *_: None), minutes)


def test_a_loss_that_is_no_number_names_the_cases_and_leaves_the_last_good_state(tmp_path):
    calls = iter(range(1000))

    def spoiled(logits, label):
        return loss(logits, label) * (math.nan if next(calls) == 2 * ITERATIONS else 1)

    trainer = training(tmp_path, loss=spoiled)
    with pytest.raises(UsageError, match=r"epoch 3, iteration 7: the loss is nan on cases") as stop:
        trainer.run()
    assert stop.value.exit_code == ExitCode.USAGE
    assert "\n" not in str(stop.value)
    assert all(name in str(stop.value) for name in trainer.state.batch["case"])
    assert all(torch.isfinite(weight).all() for weight in trainer.network.parameters())
    assert newest_checkpoint(tmp_path / "checkpoints")[1]["epoch"] == 2


def test_a_case_that_holds_no_numbers_is_named_as_such(tmp_path):
    # A data set of medseg's lets no such image in; an augmentation might make one.
    trainer = training(tmp_path)

    @trainer.on(Events.GET_BATCH_COMPLETED(once=2))
    def spoil(engine):
        engine.state.batch["image"][1] = math.inf

    with pytest.raises(DataError, match=r"on cases case_\d, case_\d, whose images") as stop:
        trainer.run()
    assert stop.value.exit_code == ExitCode.DATA
    assert all(torch.isfinite(weight).all() for weight in trainer.network.parameters())
