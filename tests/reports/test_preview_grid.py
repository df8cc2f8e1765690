"""Grid and captions of a preview: places that need no memory, lines where they should be, words."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.reports.preview_grid import Places, grid_lines, line_distance, step_words, warp_words
from medseg.transforms import (
    Elastic,
    Flip,
    PatchGrid,
    Rotation,
    Shift,
    Warp,
    WarpRanges,
    Zoom,
    plan_patch,
    sample_warp,
)
from medseg.transforms.warp_patch import warp_patch
from medseg.transforms.warp_ranges import certain
from tests.strategies import spatial_shapes


@given(shape=spatial_shapes, data=st.data())
def test_a_box_of_places_holds_the_index_of_each_voxel(shape, data):
    low = [data.draw(st.integers(0, n - 1)) for n in shape]
    high = [data.draw(st.integers(a + 1, n)) for a, n in zip(low, shape, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    whole = np.indices(shape)
    np.testing.assert_array_equal(Places(shape)[(slice(None), *box)], whole[(slice(None), *box)])


def test_a_warp_of_half_a_voxel_moves_places_by_half():
    warp = Warp(matrix=np.eye(2), shift_mm=np.array([1.0, 0.0]))
    grid = PatchGrid(start=(4, 4), size=(3, 3), spacing_mm=(2.0, 2.0))
    places = Places((12, 12))
    moved = warp_patch(places, plan_patch((12, 12), grid, warp), "linear")
    # 1 mm of voxels of 2 mm
    torch.testing.assert_close(moved[0, :, 0], torch.tensor([4.5, 5.5, 6.5]))
    torch.testing.assert_close(moved[1, 0], torch.tensor([4.0, 5.0, 6.0]))


def test_grid_lines_run_half_way_between_voxels():
    # Columns come from 0 .. 7: of one line every 4 voxels, the only one is between 3 and 4.
    across = np.tile(np.arange(8.0), (2, 1))
    lines = grid_lines(across[None], 4, (80, 20))
    assert lines.shape == (20, 80)
    assert set(np.nonzero(lines)[1]) == {40}
    assert lines[:, 40].all()


def test_where_nothing_moves_on_there_is_no_line():
    still = np.full((1, 6, 6), 7.5)
    assert not grid_lines(still, 8, (60, 60)).any()


@pytest.mark.parametrize(
    ("size", "distance"), [((96, 96), 8), ((128, 64), 8), ((129, 64), 16), ((512, 512), 32)]
)
def test_a_large_patch_has_wider_meshes(size, distance):
    assert line_distance(size) == distance


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
