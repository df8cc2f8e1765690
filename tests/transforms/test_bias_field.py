from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.transforms import RandBiasFieldd, gain_field
from tests.strategies import seeds, spatial_shapes


@given(shape=spatial_shapes, seed=seeds, max_gain=st.floats(1, 4), cells=st.integers(1, 4))
def test_no_voxel_gains_or_loses_more_than_it_may(shape, seed, max_gain, cells):
    step = RandBiasFieldd("image", max_gain, prob=1, cells=cells, no_signal=0.0)
    field = step.set_random_state(seed)({"image": torch.ones(2, *shape)})["image"]
    assert field.max() <= max_gain * 1.00001
    assert field.min() >= 1 / (max_gain * 1.00001)
    assert torch.equal(field[0], field[1]), "channels share one coil"


def test_equal_gains_are_a_constant():
    field = gain_field(torch.full((4, 5, 6), log(1.5)), (7, 1, 9))
    torch.testing.assert_close(field, torch.full((7, 1, 9), 1.5))


def test_a_ramp_of_gains_is_a_ramp():
    # A cubic B-spline reproduces straight lines: control points at -1, 0, 1, 2 cells.
    gains = torch.tensor([-1.0, 0.0, 1.0, 2.0])[:, None].expand(4, 4)
    field = gain_field(gains, (10, 3)).log()
    torch.testing.assert_close(field[:, 0], (torch.arange(10) + 0.5) / 10)


def test_the_field_is_smooth():
    step = RandBiasFieldd("image", 2.0, prob=1, no_signal=0.0).set_random_state(0)
    field = step({"image": torch.ones(1, 64, 64, 64)})["image"].log()
    assert field.diff(dim=1).abs().max() < 0.05


def test_what_has_no_signal_stays():
    image = torch.rand(1, 12, 12, 12) - 3
    image[0, 4, 4, 4] = -3.0
    changed = RandBiasFieldd("image", 2.0, prob=1)({"image": image})["image"]
    assert changed[0, 4, 4, 4] == -3
    assert changed.min() >= -3
    air = torch.zeros(1, 6, 6, 6)
    assert torch.equal(RandBiasFieldd("image", prob=1, no_signal=0.0)({"image": air})["image"], air)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"max_gain": 0.9}, "max_gain must be a finite number of at least 1, got 0.9"),
        ({"max_gain": float("nan")}, "max_gain must be a finite number"),
        ({"max_gain": float("inf")}, "max_gain must be a finite number"),
        ({"cells": 0}, r"cells must be a whole number in \[1, 16\], got 0"),
        ({"cells": 1.5}, "cells must be a whole number"),
        ({"no_signal": "black"}, "no_signal must be"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        RandBiasFieldd("image", **arguments)
