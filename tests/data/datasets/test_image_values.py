"""What is implausible about an image's values is a warning, told by minimum and maximum."""

import numpy as np
import pytest

from medseg.data.datasets.expected import Expected
from medseg.data.datasets.image_values import value_problems

CT = Expected(modality="CT", unit="HU", window=(-1000, 200))
GREY_CT = Expected(modality="CT", unit="arbitrary")
MR = Expected(modality="MR", unit="arbitrary")
WINDOWED_MR = Expected(modality="MR", unit="arbitrary", window=(0, 4000))
PET = Expected(modality="PT", unit="SUV")
SLIDE = Expected(modality="histology", unit="8 bit")


def image(low, high, dtype=np.float32):
    return np.linspace(low, high, 1200).reshape(10, 10, 12).astype(dtype)


@pytest.mark.parametrize(
    ("array", "expected", "what"),
    [
        (image(0, 4095, np.int16), CT, "no value is below 0, so it is not in HU"),
        (image(0, 255, np.uint8), CT, "no value is below 0, so it is not in HU"),
        (image(0, 1), CT, "all values are from 0 to 1, so it is not in HU"),
        (image(0, 40_000), PET, "has values above 1000, so it is not in SUV"),
        (image(-4096, 4094, np.int16), MR, "has values far below 0"),
        (image(0, 1), SLIDE, "all values are from 0 to 1, as if it had been divided by 255"),
        (image(0, 60), WINDOWED_MR, "its values use less than 2 % of the window [0, 4000]"),
        (image(5000, 6000), WINDOWED_MR, "its values use less than 2 % of the window [0, 4000]"),
        (image(0, 3, np.uint8), MR, "holds at most 8 different values, all whole, as a label does"),
        (np.full((5, 5, 5), 7), MR, "all voxels are 7"),
    ],
)
def test_what_is_implausible_is_one_warning(array, expected, what):
    (problem,) = value_problems(array, expected)
    assert problem.what.startswith(what)
    assert (problem.severity, problem.where) == ("warning", "image")
    assert problem.remedy


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (image(-1024, 3071, np.int16), CT),
        (image(-150, 250, np.int16), CT),  # a crop of soft tissue
        (image(0, 4095, np.int16), GREY_CT),
        (image(0, 1), MR),
        (image(-30, 1000), MR),  # ringing of an interpolation
        (image(0, 25), PET),
        (image(0, 255, np.uint8), SLIDE),
        (image(0, 255), SLIDE),
        (image(0, 1200), WINDOWED_MR),
        (image(0, 3, np.uint8)[:5], Expected()),  # too small to judge
        (image(0, 3), Expected()),  # fractions
    ],
)
def test_what_is_plausible_is_nothing(array, expected):
    assert value_problems(array, expected) == ()


def test_nan_is_an_error_that_names_a_voxel():
    array = image(-1000, 1000)
    array[3, 2, 1] = np.inf
    (problem,) = value_problems(array, CT)
    assert problem.severity == "error"
    assert "1 of 1200 voxels are NaN or infinite, e.g. voxel (3, 2, 1)" in problem.what
