"""Balanced draws: each group as often as any other, whatever its size."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data import RandomDraws, balanced_weights
from medseg.errors import DataError, UsageError
from tests.strategies import seeds

groups = st.lists(st.sampled_from("abcd"), min_size=1, max_size=30)


def cases_of(names):
    return [{"case": str(number), "group": name} for number, name in enumerate(names)]


def test_two_polyps_and_one_adenoma_by_hand():
    assert balanced_weights(cases_of(["polyp", "adenoma", "polyp"])) == [0.5, 1.0, 0.5]


def test_by_the_root_four_times_as_many_cases_are_drawn_twice_as_often():
    weights = balanced_weights(cases_of(["a"] * 4 + ["b"]), groups="root")
    assert weights == [0.5, 0.5, 0.5, 0.5, 1.0]
    with pytest.raises(UsageError, match="groups must be"):
        balanced_weights(cases_of(["a"]), groups="even")


@given(names=groups)
def test_each_groups_weights_add_up_to_one(names):
    weights = balanced_weights(cases_of(names))
    for group in set(names):
        total = sum(w for w, name in zip(weights, names, strict=True) if name == group)
        assert total == pytest.approx(1)


@given(seed=seeds)
def test_a_rare_group_is_drawn_as_often_as_a_common_one(seed):
    names = ["common"] * 17 + ["rare"] * 2 + ["other"]
    draws = RandomDraws(20, 6000, seed, balanced_weights(cases_of(names)))
    counts = Counter(names[draw.index] for draw in draws)
    # A third of 6000 with a standard deviation of 37.
    assert all(abs(counts[name] - 2000) < 200 for name in ("common", "rare", "other"))


@given(names=groups, seed=seeds, world=st.integers(1, 4), draws=st.integers(1, 9))
def test_processes_share_the_balanced_draws_of_one(names, seed, world, draws):
    weights = balanced_weights(cases_of(names))
    ranks = [
        RandomDraws(len(names), draws, seed, weights, rank=rank, world_size=world)
        for rank in range(world)
    ]
    shares = [list(rank) + list(rank) for rank in ranks]
    together = sorted((draw for share in shares for draw in share), key=lambda draw: draw.number)
    alone = RandomDraws(len(names), draws * world, seed, weights)
    assert together == list(alone) + list(alone)


@given(names=groups, seed=seeds, stop=st.integers(0, 20))
def test_resumed_balanced_draws_are_those_that_would_have_followed(names, seed, stop):
    weights = balanced_weights(cases_of(names))
    whole = RandomDraws(len(names), 7, seed, weights)
    drawn = [draw for _ in range(4) for draw in whole]
    resumed = RandomDraws(len(names), 7, seed, weights)
    resumed.load_state_dict({"next_number": stop})
    left = [*resumed, *resumed]
    assert left == drawn[stop : stop + len(left)]


def test_a_case_without_a_group_is_named():
    with pytest.raises(DataError, match=r"^b: has no group to balance by; add group to every case"):
        balanced_weights([{"case": "a", "group": "polyp"}, {"case": "b"}])
