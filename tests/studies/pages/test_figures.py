"""Figures in words, as a study's tables show them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.studies.pages.figures import (
    interval,
    large,
    p_value,
    percent,
    plain,
    score_name,
    signed,
    signed_interval,
)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (plain(0.86504), "0.8650"),
        (plain(None), "-"),
        (plain(math.nan), "-"),
        (signed(0.06), "+0.0600"),
        (signed(-0.00001), "0.0000"),
        (interval((0.8, 0.93)), "[0.8000, 0.9300]"),
        (interval(None), "-"),
        (signed_interval((-0.01, 0.02)), "[-0.0100, +0.0200]"),
        (p_value(0.0004), "< 0.001"),
        (p_value(0.04), "0.040"),
        (p_value(None), "-"),
        (percent(0.987), "99 %"),
        (large(1_940_000), "1.94 M"),
        (large(999_999), "1000 k"),
        (large(7), "7"),
        (score_name("dsc"), "DSC"),
        (score_name("seg"), "seg"),
    ],
)
def test_a_figure_is_rounded_and_has_its_unit(shown, words):
    assert shown == words


@given(st.floats(1, 9e14))
def test_three_digits_of_a_large_count_are_kept(count):
    number, _, letter = large(count).partition(" ")
    size = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[letter]
    assert float(number) * size == pytest.approx(count, rel=0.0051)
