"""Draws: fair, unique over a training, the same after a stop."""

from collections import Counter
from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.cases.draws import Draw, RandomDraws
from medseg.errors import UsageError
from tests.strategies import seeds

sizes = st.integers(1, 12)


def epochs(draws, count):
    return [list(draws) for _ in range(count)]


def test_three_cases_in_two_epochs_of_six_come_four_times_each():
    first, second = epochs(RandomDraws(3, 6, seed=1), 2)
    assert [draw.number for draw in first + second] == list(range(12))
    for half in (first[:3], first[3:], second[:3], second[3:]):
        assert sorted(draw.index for draw in half) == [0, 1, 2]
    assert [draw.index for draw in first] != [draw.index for draw in second]


@given(length=sizes, draws=sizes, seed=seeds, number=st.integers(1, 5))
def test_a_pass_draws_each_case_once_whatever_an_epoch_is(length, draws, seed, number):
    drawn = list(chain(*epochs(RandomDraws(length, draws, seed), number)))
    assert [draw.number for draw in drawn] == list(range(number * draws))
    for start in range(0, len(drawn) - length + 1, length):
        assert {draw.index for draw in drawn[start : start + length]} == set(range(length))


@given(length=sizes, draws=sizes, seed=seeds, stop=st.integers(0, 30))
def test_a_resumed_training_draws_what_would_have_followed(length, draws, seed, stop):
    whole = list(chain(*epochs(RandomDraws(length, draws, seed), 5)))
    resumed = RandomDraws(length, draws, seed)
    stop = min(stop, 3 * draws)
    resumed.load_state_dict({"next_number": stop})
    expected = len(resumed)
    left = list(resumed)
    assert len(left) == expected
    following = left + list(resumed)
    assert following == whole[stop : stop + len(following)]


def test_the_state_is_the_number_of_the_draw_that_comes_next():
    draws = RandomDraws(5, 4, seed=0)
    assert draws.state_dict() == {"next_number": 0}
    seen = list(islice(draws, 3))
    assert draws.state_dict() == {"next_number": seen[-1].number + 1}


def test_an_interrupted_epoch_continues_only_after_loading_its_state():
    draws = RandomDraws(5, 4, seed=0)
    next(iter(draws))
    assert len(draws) == 4
    assert [draw.number for draw in draws] == [4, 5, 6, 7]


@given(length=sizes, draws=sizes, seed=seeds, world=st.integers(1, 4))
def test_processes_share_the_draws_of_one(length, draws, seed, world):
    ranks = [RandomDraws(length, draws, seed, rank=r, world_size=world) for r in range(world)]
    shares = [epochs(rank, 2)[1] for rank in ranks]
    assert all(len(share) == draws for share in shares)
    together = [draw for group in zip(*shares, strict=True) for draw in group]
    assert together == epochs(RandomDraws(length, draws * world, seed), 2)[1]
    assert all(rank.state_dict() == {"next_number": 2 * draws * world} for rank in ranks)


@given(seed=seeds)
def test_weights_say_how_often(seed):
    counts = Counter(draw.index for draw in RandomDraws(3, 4000, seed, weights=[1, 3, 0]))
    assert counts[2] == 0
    # Three quarters of 4000 with a standard deviation of 27.
    assert abs(counts[1] - 3000) < 150


def test_another_seed_and_another_epoch_give_another_order():
    orders = {
        tuple(draw.index for draw in epoch)
        for seed in range(5)
        for epoch in epochs(RandomDraws(20, 20, seed), 3)
    }
    assert len(orders) == 15


def test_a_draw_is_a_pair_of_plain_integers():
    draw = next(iter(RandomDraws(4, 1, seed=0, weights=np.ones(4))))
    assert draw == Draw(draw.index, 0) == (draw.index, 0)
    assert {type(part) for part in draw} == {int}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"dataset_length": 0}, "dataset_length must be a whole number from 1, got 0"),
        ({"draws_per_epoch": 0}, "draws_per_epoch must be a whole number from 1, got 0"),
        ({"draws_per_epoch": 2.5}, "draws_per_epoch must be a whole number from 1, got 2.5"),
        ({"draws_per_epoch": True}, "draws_per_epoch must be a whole number from 1, got True"),
        ({"seed": -1}, "seed must be a whole number from 0, got -1"),
        ({"rank": 2, "world_size": 2}, "rank must be below world_size 2, got 2"),
        ({"world_size": 0}, "world_size must be a whole number from 1, got 0"),
        ({"weights": [1.0]}, r"weights must be one number for each of 3 cases, got shape \(1,\)"),
        ({"weights": [1, -1, 1]}, r"weights\[1\] must be a finite number of at least 0, got -1.0"),
        ({"weights": [1, float("nan"), 1]}, r"weights\[1\] must be a .* got nan"),
        ({"weights": [0, 0, 0]}, r"weights must have one above 0, got \[0.0, 0.0, 0.0\]"),
    ],
)
def test_arguments_that_make_no_sense_are_one_line(arguments, told):
    with pytest.raises(UsageError, match=f"^{told}$"):
        RandomDraws(**{"dataset_length": 3, "draws_per_epoch": 2, "seed": 0, **arguments})


@pytest.mark.parametrize("state", [{}, {"epoch": 1}, {"next_number": -1}])
def test_a_state_of_something_else_is_refused(state):
    with pytest.raises(UsageError, match="next_number"):
        RandomDraws(3, 2, seed=0).load_state_dict(state)
