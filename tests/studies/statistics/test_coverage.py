"""Simulated studies with a known truth: intervals hold it, and nothing is found where nothing is.

A short form of benchmarks/study_statistics.py, with the same draws every time.
"""

import numpy as np
import pytest

from benchmarks._study_models import ALIKE, BY_CASE, MODELS, SKEWED, Design
from benchmarks.study_statistics import coverage, false_alarms, power

NOISY = next(model for model in MODELS if model.run == 0.3)
THREE_SEEDS = Design(seeds=3, folds=1, cases=40)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("model", "design"),
    [
        (BY_CASE, Design(seeds=1, folds=1, cases=20)),
        (BY_CASE, Design(seeds=3, folds=3, cases=10)),
        (NOISY, THREE_SEEDS),
        (SKEWED, Design(seeds=5, folds=1, cases=20)),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_ninety_five_per_cent_of_the_intervals_hold_the_truth(model, design):
    # Of 300 intervals, 95 % have a standard error of 1.3 %.
    held, _, _ = coverage(model, design, 300, rng())
    assert 0.92 <= held <= 0.98


def test_the_percentile_bootstrap_of_three_seeds_does_not():
    _, _, held = coverage(NOISY, THREE_SEEDS, 200, rng())
    assert held < 0.88


def test_studies_of_rows_that_are_all_alike_find_nothing_where_the_rank_test_alone_does():
    verdict, rank = false_alarms(ALIKE, THREE_SEEDS, (5, 0), 200, rng())
    assert verdict <= 0.05
    assert rank > 0.3


def test_the_smallest_difference_is_seen_four_times_in_five():
    # Of 300 studies, 80 % have a standard error of 2.3 %.
    assert 0.73 <= power(BY_CASE, Design(seeds=3, folds=3, cases=10), 300, rng()) <= 0.87
