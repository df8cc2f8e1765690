"""What every argument check promises: one line that says whose argument, what may be, what came."""

import math
import re
import subprocess
import sys
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg._checks import (
    first_few,
    require_choice,
    require_fraction,
    require_not_negative,
    require_number,
    require_positive,
    require_sizes,
    require_spacing,
    require_span,
    require_weights,
    require_whole_number,
)
from medseg.errors import UsageError

# What YAML, the command line and callers may give in place of what is asked for.
ANYTHING = st.one_of(
    *(st.none(), st.booleans(), st.integers(-100, 100), st.floats(), st.text(max_size=3)),
    st.lists(st.one_of(st.integers(-3, 9), st.floats(), st.text(max_size=2)), max_size=4),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
CHECKS = {
    "choice": lambda value: require_choice("UNet: norm", value, ("none", "one", "both")),
    "whole number": lambda value: require_whole_number("UNet: norm", value, at_least=1),
    "number": lambda value: require_number("UNet: norm", value, at_least=1),
    "positive": lambda value: require_positive("UNet: norm", value),
    "not negative": lambda value: require_not_negative("UNet: norm", value),
    "fraction": lambda value: require_fraction("UNet: norm", value),
    "span": lambda value: require_span("UNet: norm", value, at_least=0),
    "sizes": lambda value: require_sizes("UNet: norm", value),
    "spacing": lambda value: require_spacing("UNet: norm", value),
    "weights": lambda value: require_weights("UNet: norm", value),
}


@pytest.mark.parametrize("check", CHECKS)
@given(value=ANYTHING)
def test_whatever_comes_is_taken_or_refused_in_one_line_that_names_the_argument(check, value):
    message = refusal(CHECKS[check], value)
    assert message is None or re.fullmatch(r"UNet: norm(\[\d\])? must .*, got .*", message)


def refusal(check, value):
    try:
        check(value)
    except UsageError as error:
        return str(error)
    return None


def test_a_word_that_chooses_nothing_is_refused_with_those_that_do():
    allowed = Literal["plateau", "polynomial"]
    require_choice("schedule", "plateau", get_args(allowed))
    with pytest.raises(
        UsageError, match=r"^schedule must be one of plateau, polynomial, got 'polynomal'$"
    ):
        require_choice("schedule", "polynomal", get_args(allowed))


def test_a_yes_of_yaml_is_not_the_number_one():
    with pytest.raises(UsageError, match=r"axes must be one of all, 0, 1, got True"):
        require_choice("axes", value=True, choices=("all", 0, 1))


@given(at_least=st.integers(-5, 5), more=st.integers(0, 5), value=st.integers(-20, 20))
def test_a_whole_number_of_the_range_comes_back_and_no_other(at_least, more, value):
    def check(given):
        return require_whole_number("n", given, at_least=at_least, at_most=at_least + more)

    if at_least <= value <= at_least + more:
        assert check(value) == check(np.int16(value)) == value
        assert type(check(np.int16(value))) is int
    else:
        with pytest.raises(UsageError, match=rf"n must be a whole number in .*, got {value}$"):
            check(value)


@pytest.mark.parametrize("value", [True, 2.0, "2", None, [2], np.array([1, 2])])
def test_what_only_looks_like_a_whole_number_is_none(value):
    with pytest.raises(UsageError, match="n must be a whole number from 0, got "):
        require_whole_number("n", value, at_least=0)


@given(st.floats(0, 1))
def test_a_fraction_is_what_lies_between_its_ends_and_they_are_too(value):
    require_fraction("prob", value)
    require_fraction("prob", np.float32(value))
    with pytest.raises(UsageError, match=r"^prob must be in \[0, 1\], got "):
        require_fraction("prob", value + 1.001)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: require_number("n", 1, at_least=0, below=1), r"n must be in \[0, 1\), got 1"),
        (lambda: require_number("n", math.inf, at_least=1), "finite number of at least 1, got inf"),
        (lambda: require_number("n", math.nan, at_least=1), "finite number of at least 1, got nan"),
        (lambda: require_number("n", "1e-5", at_least=0), "of at least 0, got '1e-5'"),
        (lambda: require_positive("n", 0), "n must be a finite number above 0, got 0"),
        (lambda: require_positive("n", value=True), "n must be a finite number above 0, got True"),
        (lambda: require_sizes("n", (8, 0, 8)), "n must be 2 or 3 whole numbers from 1, got"),
        (lambda: require_sizes("n", 8), "n must be 2 or 3 whole numbers from 1, got 8"),
        (lambda: require_sizes("n", (8, 8), axes=(3,)), r"n must be 3 whole .* got \(8, 8\)"),
        (lambda: require_spacing("n", [1, math.nan]), "n must be 2 or 3 positive numbers, got"),
        (lambda: require_spacing("n", [1, "1"]), r"positive numbers, got \[1, '1'\]"),
        (lambda: require_weights("n", [1, -2]), r"n\[1\] must be a finite number of at least 0"),
        (lambda: require_weights("n", [0, 0]), r"n must have one above 0, got \[0, 0\]"),
        (lambda: require_weights("n", "balanced"), "n must have one above 0, got 'balanced'"),
        (lambda: require_span("n", [5, 101], at_least=0, at_most=100), r"in \[0, 100\], got \[5,"),
        (lambda: require_span("n", [2, 1], at_least=0), r"two numbers \[low, high\], rising"),
        (lambda: require_span("n", ["1e-3", 1], at_least=0), "n must be two numbers"),
        (lambda: require_span("n", "ab", at_least=0), "n must be two numbers"),
        (lambda: require_span("n", [0, math.inf], at_least=0), "n must be two numbers"),
    ],
)
def test_what_is_out_of_its_range_is_told_the_range(check, message):
    with pytest.raises(UsageError, match=message):
        check()


@given(st.lists(st.floats(0, 100), min_size=2, max_size=2).map(sorted))
def test_a_span_comes_back_as_two_numbers(span):
    assert require_span("n", span, at_least=0, at_most=100) == tuple(span)
    assert require_span("n", np.array(span), at_least=0) == tuple(span)


def test_sizes_and_spacings_come_back_as_tuples():
    assert require_sizes("n", [64, np.int64(32)]) == (64, 32)
    assert require_spacing("n", np.array([1, 0.5, 2])) == (1.0, 0.5, 2.0)


@given(st.lists(st.integers(), max_size=9), st.integers(1, 9))
def test_a_long_list_is_told_by_its_first_and_the_number_of_the_others(items, most):
    shown, _, more = first_few(items, most).partition(" and ")
    assert shown == ", ".join(map(str, items[:most]))
    assert more == (f"{len(items) - most} more" if len(items) > most else "")


def test_others_may_have_a_noun_and_a_mark_of_their_own():
    assert first_few("abcd", 2, noun="gaps") == "a, b and 2 more gaps"
    assert first_few(["a, b", "c", "d"], 2, mark=";") == "a, b; c; and 1 more"
    assert first_few([], 2) == ""


def test_checking_an_option_needs_no_torch():
    code = "import sys, medseg._checks; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
