"""The grid of a preview: places that need no memory, and lines where they should be."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.reports.preview_grid import Places, grid_lines, line_distance
from medseg.transforms import PatchGrid, Warp, plan_patch, warp_patch
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
