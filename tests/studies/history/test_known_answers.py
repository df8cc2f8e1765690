"""A log like that of the abdominal-fat networks, whose answers can be read off by eye.

`fat_unet.csv` has the columns of a Keras CSVLogger there; VAT is `vsat`, SAT is `scat`.
"""

from pathlib import Path

import pytest

from medseg.studies.history.history import read_history

LOG = Path(__file__).with_name("fat_unet.csv")

# Metric: its best, the epoch of it, and the first epoch within 0.005 of it.
ANSWERS = {
    "loss": (0.070, 9, 7),
    "sdice": (0.930, 9, 7),
    "background_dice": (0.995, 8, 2),
    "vsat_dice": (0.850, 9, 8),
    "scat_dice": (0.945, 9, 6),
    "val_loss": (0.109, 8, 6),
    "val_sdice": (0.891, 8, 6),
    "val_background_dice": (0.991, 4, 2),
    "val_vsat_dice": (0.834, 8, 7),
    "val_scat_dice": (0.859, 4, 4),
}


@pytest.fixture(scope="module")
def history():
    return read_history([LOG], tolerance=0.005, minutes_per_epoch=6)


@pytest.mark.parametrize("metric", ANSWERS)
def test_a_metric_stops_where_the_table_says(history, metric):
    stop = next(stop for stop in history.stops[0] if stop.metric == metric)
    assert (stop.best, stop.best_epoch, stop.epoch) == ANSWERS[metric]


def test_vat_and_sat_stop_at_different_epochs(history):
    epochs = {stop.metric: stop.epoch for stop in history.stops[0]}
    assert (epochs["val_scat_dice"], epochs["val_vsat_dice"]) == (4, 7)


def test_hours_are_those_of_the_epochs_that_came_after(history):
    # SAT stops at epoch 4 of 0 to 9: five epochs of six minutes are half an hour.
    stop = next(stop for stop in history.stops[0] if stop.metric == "val_scat_dice")
    assert (stop.epochs_after, stop.hours_after) == (5, 0.5)


def test_the_training_could_stop_when_the_last_validated_metric_does(history):
    # VAT, at epoch 7; that of the training set goes on to 8 and does not count.
    assert history.last is not None
    assert history.last.metric == "val_vsat_dice"
    assert history.last.hours_after is not None
    assert history.last.hours_after.mean == pytest.approx(0.2)


def test_without_a_tolerance_a_metric_stops_at_its_best():
    stops = read_history([LOG], tolerance=0).stops[0]
    assert {stop.metric: stop.epoch for stop in stops} == {m: a[1] for m, a in ANSWERS.items()}


def test_a_wider_tolerance_stops_no_later():
    narrow, wide = (read_history([LOG], tolerance=t).stops[0] for t in (0.005, 0.05))
    assert all(w.epoch <= n.epoch for n, w in zip(narrow, wide, strict=True))
    assert [stop.epoch for stop in wide if stop.metric == "val_scat_dice"] == [3]


def test_the_log_tells_no_time_unless_it_is_given():
    assert all(stop.hours_after is None for stop in read_history([LOG]).stops[0])
