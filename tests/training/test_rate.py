"""The learning rate's course over a training: each shape by hand, and what all have in common."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ignite.engine import Engine, Events
from torch import nn

from medseg.errors import UsageError
from medseg.training import RateSchedule
from medseg.training.rate import rate_share

SCHEDULES = ["plateau", "polynomial", "one_cycle", "constant"]


def sgd(rate=9.0):
    return torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=rate)


def rates(schedule, warmup, *, iterations=10, start=9.0, change=None):
    """The rate of each iteration; `change` is called with the optimiser after each."""
    optimizer, trainer, seen = sgd(start), Engine(lambda *_: None), []
    RateSchedule(optimizer, 1.0, schedule=schedule, warmup=warmup).attach(trainer)

    @trainer.on(Events.ITERATION_COMPLETED)
    def note(engine):
        seen.append(optimizer.param_groups[0]["lr"])
        if change:
            change(engine, optimizer)

    trainer.run(range(iterations // 2), max_epochs=2)
    return seen


def test_a_polynomial_rate_rises_to_its_height_and_falls_to_zero():
    # 10 iterations, 2 of warm-up: 2 %, 50 %, then 1, 7/8, 6/8, ... to the power of 0.9.
    falling = [((8 - n) / 8) ** 0.9 for n in range(8)]
    assert rates("polynomial", 0.2) == pytest.approx([0.02, 0.5, *falling])


def test_one_cycle_rises_and_falls_by_half_a_cosine_each():
    # 10 iterations, 4 of warm-up, so half way up at the third: (1 + 1/25) / 2; half way down at
    # the eighth, and near the ten-thousandth of a 25th at the end.
    seen = rates("one_cycle", 0.4)
    assert seen[0] == pytest.approx(1 / 25)
    assert seen[2] == pytest.approx((1 + 1 / 25) / 2)
    assert seen[4] == 1.0
    assert seen[7] == pytest.approx((1 + 1 / 250_000) / 2)
    assert rate_share(1.0, "one_cycle", warmup=0.4) == pytest.approx(1 / 250_000)


def test_a_constant_rate_is_constant_after_its_warm_up():
    assert rates("constant", 0.2) == pytest.approx([0.02, 0.5, *[1.0] * 8])
    assert rates("constant", 0.0) == [1.0] * 10


@pytest.mark.parametrize("warmup", [0.2, 0.25])
def test_after_the_warm_up_a_plateau_has_the_rate_to_itself(warmup):
    def halve(engine, optimizer):
        # As ReduceLROnPlateau does, within the warm-up and after it.
        if engine.state.iteration in (1, 6):
            optimizer.param_groups[0]["lr"] /= 2

    seen = rates("plateau", warmup, change=halve)
    rising = math.ceil(10 * warmup)
    assert seen[:rising] == pytest.approx([0.02, *(n / 10 / warmup for n in range(1, rising))])
    assert seen[rising:] == [1.0] * (6 - rising) + [0.5] * 4


def test_a_plateau_without_warm_up_is_left_alone():
    assert rates("plateau", 0.0) == [9.0] * 10


@given(st.floats(0, 1), st.sampled_from(SCHEDULES), st.floats(0, 0.9))
def test_the_rate_stays_between_zero_and_its_height(done, schedule, warmup):
    assert 0 <= rate_share(done, schedule, warmup=warmup) <= 1


@given(st.sampled_from(SCHEDULES), st.floats(0, 0.9))
def test_the_rate_rises_in_the_warm_up_and_never_after_it(schedule, warmup):
    shares = [(n / 50, rate_share(n / 50, schedule, warmup=warmup)) for n in range(51)]
    for (_, before), (done, after) in pairwise(shares):
        assert after >= before - 1e-12 if done < warmup else True
    after_it = [share for done, share in shares if done >= warmup]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(after_it))


@given(st.sampled_from(SCHEDULES), st.floats(0.01, 0.9))
def test_the_height_is_reached_at_the_end_of_the_warm_up(schedule, warmup):
    assert rate_share(warmup, schedule, warmup=warmup) == 1


def rates_over_time(used):
    """The polynomial rate of each of ten iterations, before which so much of the time is used."""
    optimizer, trainer, seen, left = sgd(), Engine(lambda *_: None), [], iter(used)
    RateSchedule(optimizer, 1.0, schedule="polynomial", used_share=lambda: next(left)).attach(
        trainer
    )
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: seen.append(optimizer.param_groups[0]["lr"])
    )
    trainer.run(range(10), max_epochs=1)
    return seen


def test_a_rate_over_minutes_ends_at_zero_with_them_and_not_before():
    # Half of the time is used when a tenth of the iterations is, and all of it near the third.
    seen = rates_over_time([0.0, 0.5, 0.99, 1.0, 1.2, *[2.0] * 5])
    assert seen == pytest.approx([1.0, 0.5**0.9, 0.01**0.9, *[0.0] * 7])


def test_a_rate_over_minutes_ends_with_the_epochs_if_these_come_first():
    assert rates_over_time([0.0] * 10) == rates("polynomial", 0.0)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"schedule": "polynomal"}, "schedule must be one of plateau, polynomial, one_cycle"),
        ({"schedule": "constant", "warmup": 1}, r"warmup must be in \[0, 1\), got 1"),
        ({"schedule": "constant", "warmup": math.nan}, r"warmup must be in \[0, 1\), got nan"),
    ],
)
def test_wrong_arguments_are_refused(choices, message):
    with pytest.raises(UsageError, match=message):
        RateSchedule(sgd(), 1.0, **choices)
