"""A slice of each validation in TensorBoard: the right one, the right way up, once a validation."""

import time

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medseg.data.colours import class_colour
from medseg.reports.validation_slice import ValidationSlice, slice_page

NAMES = ["background", "lung", "infection"]
COLOUR = np.array(class_colour(1))


def output(shape=(8, 8, 8), *, decollated=True):
    """Two cases as an evaluator of MONAI's leaves them."""
    image, label = torch.rand(1, *shape), torch.zeros(1, *shape)
    label[0, 2:4, 2:4] = 1
    case = {"image": image, "label": label, "pred": label.clone()}
    if decollated:
        return [case, case]
    logits = torch.stack([1 - label[0], label[0], torch.zeros(shape)])
    return {"image": image[None], "label": label[None], "pred": logits[None]}


def evaluator(result, names=("case_a", "case_b")):
    """One whose iterations have a batch of two named cases each."""
    engine = Engine(lambda *_: result)
    return engine, [{"case": list(names)}] * 3


def pictures(folder):
    events = EventAccumulator(str(folder), size_guidance={"images": 0})
    events.Reload()
    return events.Images("validation")


@pytest.mark.parametrize("decollated", [True, False])
def test_each_validation_leaves_one_picture_of_its_epoch(tmp_path, decollated):
    engine, batches = evaluator(output(decollated=decollated))
    ValidationSlice(str(tmp_path), NAMES).attach(engine)
    for epoch in (2, 4):
        # As MONAI's evaluators count: the trainer's epochs, iterations from one each time.
        set_epoch = engine.add_event_handler(
            Events.EPOCH_STARTED,
            lambda running, epoch=epoch: setattr(running.state, "epoch", epoch),
        )
        engine.state.max_epochs = None
        engine.run(batches, max_epochs=1)
        set_epoch.remove()
    assert [picture.step for picture in pictures(tmp_path)] == [2, 4]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_case_without_a_label_has_no_picture(tmp_path):
    engine, batches = evaluator([{**output()[0], "label": None}])
    ValidationSlice(str(tmp_path), NAMES).attach(engine)
    engine.run(batches, max_epochs=1)
    assert list(tmp_path.iterdir()) == []


def coloured(page):
    """The middle of what has the first class's colour, as shares of height and width."""
    rows, columns = np.nonzero((page == COLOUR).all(axis=-1))
    # The legend's square has that colour as well, below the panels.
    above = rows < 0.85 * page.shape[0]
    return rows[above].mean() / page.shape[0], columns[above].mean() / page.shape[1]


def page_with(pred):
    """A page on which the label is but a point of the prediction, and its line hides nothing."""
    image, label = np.zeros((1, *pred.shape)), np.zeros_like(pred)
    label[tuple(np.argwhere(pred == 1).mean(axis=0).round().astype(int))] = 1
    return slice_page(image, label, pred, title="a", class_names=NAMES)


def test_of_a_volume_the_fullest_axial_slice_is_shown_with_anterior_above_and_right_on_the_left():
    pred = np.zeros((20, 20, 5), np.int64)
    # In RAS, large i is right and large j is anterior.
    pred[14:18, 14:18, 3] = 1
    row, column = coloured(page_with(pred))
    assert row < 0.5
    # The prediction is the second of two panels.
    assert 0.5 < column < 0.75


def test_a_picture_is_shown_as_it_is():
    pred = np.zeros((20, 20), np.int64)
    pred[2:6, 14:18] = 1
    row, column = coloured(page_with(pred))
    assert row < 0.5
    assert column > 0.75


def test_three_channels_are_colours_and_a_constant_image_is_drawn():
    label = np.zeros((10, 12), np.int64)
    red = np.zeros((3, 10, 12))
    red[0] = 1
    page = slice_page(red, label, label, title="a", class_names=NAMES)
    assert (page == [255, 0, 0]).all(axis=-1).mean() > 0.2
    flat = np.ones((1, 10, 12))
    assert slice_page(flat, label, label, title="a", class_names=NAMES).dtype == np.uint8


def test_a_picture_costs_little():
    label = np.random.default_rng(0).integers(0, 3, (160, 160, 100))
    image = np.random.default_rng(1).random((1, 160, 160, 100))
    begun = time.process_time()
    slice_page(image, label, label, title="a", class_names=NAMES)
    # A tenth of a second; noise as a label is the worst there is to outline.
    assert time.process_time() - begun < 2
