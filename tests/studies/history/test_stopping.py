"""Laws of early stopping in hindsight, and of metrics' directions."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.studies.history.history import read_history
from medseg.studies.history.log import log_of_rows
from medseg.studies.history.metric import Directions, chosen_names
from medseg.studies.history.stopping import early_stops

curves = st.lists(st.floats(0, 1), min_size=1, max_size=30)
tolerances = st.floats(0, 0.5)


def stop_of(name, values, tolerance, minutes=None):
    log = log_of_rows(Path("log"), "Keras", [(n, {name: v}) for n, v in enumerate(values)])
    (stop,) = early_stops(log, [name], tolerance=tolerance, minutes_per_epoch=minutes)
    return stop


@given(values=curves, tolerance=tolerances)
def test_no_epoch_before_it_is_within_the_tolerance_and_it_is(values, tolerance):
    stop = stop_of("val_dice", values, tolerance)
    assert stop.best == max(values)
    assert stop.best - stop.value <= tolerance + 1e-9
    assert all(stop.best - value > tolerance for value in values[: stop.epoch])
    assert stop.epoch <= stop.best_epoch


@given(values=curves, tolerance=tolerances)
def test_a_loss_stops_where_its_complement_does(values, tolerance):
    low = stop_of("loss", values, tolerance)
    high = stop_of("dice", [-value for value in values], tolerance)
    assert (low.epoch, low.best_epoch, low.best) == (high.epoch, high.best_epoch, -high.best)


@given(values=curves)
def test_hours_are_minutes_by_epochs(values):
    stop = stop_of("loss", values, 0.0, minutes=30)
    assert stop.hours_after == stop.epochs_after / 2 == (len(values) - 1 - stop.epoch) / 2


def test_the_logs_own_time_is_summed_over_what_came_after():
    rows = [(1, {"loss": 3.0, "seconds": 3600.0}), (2, {"loss": 1.0, "seconds": 1800.0})]
    log = log_of_rows(Path("log"), "medseg", [*rows, (3, {"loss": 2.0, "seconds": 7200.0})])
    (stop,) = early_stops(log, ["loss"], tolerance=0)
    assert (stop.epoch, stop.hours_after) == (2, 2.0)


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("loss", "low"),
        ("val_dice_loss", "low"),
        ("val_hd95", "low"),
        ("crossentropy", "low"),
        ("val_vsat_dice", "high"),
        ("mean_iou", "high"),
        ("val_acc", "high"),
        ("val_dice_lung", "high"),
        ("val_dice_1", "high"),
        ("temperature", None),
    ],
)
def test_a_name_tells_whether_high_or_low_is_better(name, better):
    assert Directions().of(name) == better


def test_the_user_may_tell_it_otherwise():
    told = Directions(high=("temperature",), low=("val_dice",))
    assert told.of("val_temperature") == "high"
    assert (told.of("val_dice"), told.of("dice")) == ("low", "high")


def test_a_metric_is_chosen_for_one_set_or_for_both():
    there = ["loss", "dice", "val_loss", "val_dice"]
    assert chosen_names(["dice"], there, "--metric") == ["dice", "val_dice"]
    assert chosen_names(["val_dice", "val_loss"], there, "--metric") == ["val_loss", "val_dice"]


def test_an_unknown_metric_is_told_with_its_neighbour():
    with pytest.raises(UsageError, match=r"--metric vast_dice: no such .*did you mean vsat_dice\?"):
        chosen_names(["vast_dice"], ["loss", "vsat_dice"], "--metric")


def test_seeds_have_a_mean_and_a_range(tmp_path):
    # Best of all at the end; within 0.1 of it from epoch 1, 2 and 3 on.
    for seed, first in enumerate((1, 2, 3)):
        rows = (f"{e},{1.0 if e >= first else 0.0}" for e in range(5))
        (tmp_path / f"{seed}.csv").write_text("epoch,val_dice\n" + "\n".join(rows))
    paths = [tmp_path / f"{seed}.csv" for seed in range(3)]
    (dice,) = read_history(paths, tolerance=0.1, minutes_per_epoch=60).metrics
    assert dice.trainings == 3
    assert (dice.epoch.mean, dice.epoch.least, dice.epoch.greatest) == (2, 1, 3)
    assert dice.hours_after is not None
    assert (dice.hours_after.mean, dice.hours_after.least) == (2, 1)


def test_epochs_without_a_value_do_not_count_as_best():
    stop = stop_of("val_dice", [0.1, math.nan, 0.9, math.nan], 0.0)
    assert (stop.epoch, stop.epochs_after) == (2, 1)
