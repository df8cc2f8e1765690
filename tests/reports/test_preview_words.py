"""Captions of a preview: what a warp did."""

import numpy as np
import pytest

from medseg.reports.preview_words import step_words, warp_words
from medseg.transforms import Elastic, Flip, Rotation, Shift, Warp, WarpRanges, Zoom, sample_warp
from medseg.transforms.warp_ranges import certain

QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])


def words(**parts):
    ranges = certain(WarpRanges(**parts))
    return warp_words(sample_warp(ranges, [64.0, 64.0], np.random.RandomState(0)).record(), "mm")


def test_a_warp_that_changes_nothing_says_so():
    assert warp_words(Warp.identity(3).record(), "mm") == "not warped"


def test_each_part_of_a_warp_is_named():
    assert words(flip=Flip(axes=[1])) == "flip 1"
    assert words(zoom=Zoom(low=1.25, high=1.25)) == "zoom 1.25"
    assert words(shift=Shift(max_mm=4)).startswith("shift ")
    assert words(elastic=Elastic(max_displacement_mm=4, control_spacing_mm=16)).startswith(
        "elastic up to "
    )
    both = words(flip=Flip(axes=[0, 1]), zoom=Zoom(low=0.5, high=0.5))
    assert both == "flip 0 1, zoom 0.50"


def test_a_quarter_turn_is_90_degrees():
    record = Warp(matrix=QUARTER, shift_mm=np.zeros(2)).record()
    assert warp_words(record, "mm") == "turn 90°"


@pytest.mark.parametrize("seed", range(5))
def test_a_rotation_about_one_axis_is_described_by_its_angle(seed):
    ranges = certain(WarpRanges(rotation=Rotation(degrees=[0, 0, 60])))
    warp = sample_warp(ranges, [64.0] * 3, np.random.RandomState(seed))
    degrees = np.degrees(np.arctan2(warp.matrix[1, 0], warp.matrix[0, 0]))
    assert warp_words(warp.record(), "mm") == f"turn {abs(degrees):.0f}°"


def test_lengths_of_a_picture_are_pixels():
    record = Warp(matrix=np.eye(2), shift_mm=np.array([3.0, 4.0])).record()
    assert warp_words(record, "px") == "shift 5 px"


def test_steps_go_without_what_all_their_names_share():
    assert step_words(["RandWarpPatchd", "RandGaussianNoised", "ScaleIntensityRanged"]) == (
        "GaussianNoise, ScaleIntensityRange"
    )
    assert step_words(["RandWarpPatchd"]) == ""
