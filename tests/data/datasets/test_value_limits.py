"""What is said of values that networks cannot compute with."""

import numpy as np
import pytest

from medseg.data.datasets.image_values import value_problems


@pytest.mark.parametrize(
    ("values", "severity", "what"),
    [
        (np.array([0, 1e40]), "error", "holds values up to 1e+40, beyond those of 32-bit floats"),
        (np.array([-1e40, 0]), "error", "holds values up to 1e+40"),
        (np.array([0, 2**24 + 1]), "warning", "holds whole numbers beyond 16777216"),
        (np.array([-(2**63), 0]), "warning", "holds whole numbers beyond 16777216"),
        (np.array([0, 2**64 - 1], np.uint64), "warning", "holds whole numbers beyond 16777216"),
    ],
)
def test_values_that_32_bit_floats_cannot_hold_are_told(values, severity, what):
    (problem,) = value_problems(values)
    assert (problem.severity, problem.what[: len(what)]) == (severity, what)


@pytest.mark.parametrize("values", [[0, 2**24], [-300.5, 3e38], [False, True]])
def test_values_that_they_hold_are_not(values):
    assert value_problems(np.array(values)) == ()
