import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from medseg.errors import DataError
from medseg.inference.foreground import foreground_in_network_grid, foreground_in_source_grid
from medseg.inference.grid_map import GridMap, map_grids
from medseg.inference.region import Part
from medseg.inference.slabs import Slab
from medseg.inference.source_grid import label_in_network_grid, label_in_source_grid


def cut(logits, sizes):
    """The same logits as slabs of the given sizes along the first axis."""
    start = 0
    for size in sizes:
        if start + size > logits.shape[1]:
            break
        yield Slab(start, logits[:, start : start + size])
        start += size
    if start < logits.shape[1]:
        yield Slab(start, logits[:, start:])


def smooth_logits(seed, classes, shape):
    noise = np.random.default_rng(seed).standard_normal((classes, *shape))
    blurred = [ndimage.gaussian_filter(one, 1.5) for one in noise]
    return torch.as_tensor(np.stack(blurred), dtype=torch.float32)


def by_interpolating_everything(logits, grid):
    """scipy's linear interpolation of every class, then the greatest."""
    where = np.meshgrid(*(grid.places(a) for a in range(len(grid.axes))), indexing="ij")
    full = [ndimage.map_coordinates(one.numpy(), where, order=1, mode="nearest") for one in logits]
    return np.stack(full)


@given(
    seed=st.integers(0, 1000),
    sizes=st.lists(st.integers(1, 6), max_size=5),
    scale=st.tuples(*[st.floats(0.3, 2.5)] * 3),
    offset=st.tuples(*[st.floats(-1.5, 1.5)] * 3),
)
def test_slab_by_slab_is_interpolating_all_classes_and_taking_the_greatest(
    seed, sizes, scale, offset
):
    logits = smooth_logits(seed, 3, (9, 8, 7))
    grid = GridMap((0, 1, 2), scale, offset, (11, 10, 9))
    label = label_in_source_grid(cut(logits, sizes), grid)
    full = by_interpolating_everything(logits, grid)
    chosen = np.take_along_axis(full, label[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(chosen, full.max(axis=0), atol=1e-4)


@given(
    scale=st.tuples(*[st.sampled_from([-1.7, -0.6, 0.4, 1.0, 2.2])] * 3),
    starts=st.tuples(*[st.integers(0, 4)] * 3),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    axis=st.integers(0, 2),
)
def test_slabs_of_a_part_give_the_label_of_the_whole_there_and_background_elsewhere(
    scale, starts, sizes, axis
):
    shape = (9, 8, 7)
    logits = smooth_logits(0, 3, shape)
    offset = tuple(0.2 if step > 0 else size - 1.3 for step, size in zip(scale, shape, strict=True))
    grid = GridMap((1, 2, 0), scale, offset, (6, 5, 7))
    box = tuple(
        slice(start, min(start + size + 1, n))
        for start, size, n in zip(starts, sizes, shape, strict=True)
    )
    part = logits[(slice(None), *box)].movedim(1 + axis, 1)
    label = label_in_source_grid(cut(part, [2]), grid, axis, part=Part(box, shape))
    whole = label_in_source_grid(cut(logits, []), grid)
    expected = np.zeros_like(whole)
    # Places further in than half a voxel from the part's faces are interpolated within it.
    for place in np.ndindex(grid.turned(whole).shape):
        at = [grid.places(a)[place[a]] for a in range(3)]
        inner = [p.start <= x <= p.stop - 1 for p, x in zip(box, at, strict=True)]
        outer = [
            (p.start == 0 or x >= p.start - 0.5) and (p.stop == n or x < p.stop - 0.5)
            for p, x, n in zip(box, at, shape, strict=True)
        ]
        if all(inner):
            grid.turned(expected)[place] = grid.turned(whole)[place]
        elif all(outer):
            grid.turned(expected)[place] = grid.turned(label)[place]
    np.testing.assert_array_equal(label, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slabs_may_run_along_any_axis(axis):
    logits = smooth_logits(0, 4, (9, 8, 7))
    grid = GridMap((0, 1, 2), (0.7, 0.9, 1.3), (0.2, 0, -0.4), (12, 9, 6))
    along = cut(logits.movedim(1 + axis, 1), [3, 2])
    expected = label_in_source_grid(cut(logits, []), grid)
    np.testing.assert_array_equal(label_in_source_grid(along, grid, axis), expected)


def test_two_dimensions():
    logits = smooth_logits(0, 3, (9, 8))
    grid = GridMap((1, 0), (0.5, -0.5), (0, 7), (15, 17))
    label = label_in_source_grid(cut(logits, [4]), grid)
    assert label.shape == (15, 17)
    greatest = by_interpolating_everything(logits, grid).argmax(axis=0)
    np.testing.assert_array_equal(grid.turned(label), greatest)


def test_logits_in_the_sources_own_grid_are_compared_as_they_are():
    logits = smooth_logits(1, 5, (6, 5, 4))
    grid = GridMap((0, 1, 2), (1, 1, 1), (0, 0, 0), (6, 5, 4))
    expected = logits.argmax(dim=0).numpy()
    np.testing.assert_array_equal(label_in_source_grid(cut(logits, [2, 2]), grid), expected)
    np.testing.assert_array_equal(label_in_network_grid(cut(logits, [2, 2])), expected)


def test_the_source_may_be_one_slice():
    logits = smooth_logits(1, 2, (6, 5, 4))
    grid = GridMap((0, 1, 2), (1, 1, 1), (2, 0, 0), (1, 5, 4))
    expected = logits[:, 2:3].argmax(dim=0).numpy()
    np.testing.assert_array_equal(label_in_source_grid(cut(logits, [1, 2]), grid), expected)


def test_more_than_256_classes_need_two_bytes():
    logits = torch.zeros(300, 2, 2, 2)
    logits[299, 1] = 1
    grid = GridMap((0, 1, 2), (1, 1, 1), (0, 0, 0), (2, 2, 2))
    label = label_in_source_grid(cut(logits, []), grid)
    assert label.dtype == np.uint16
    assert label.max() == 299
    assert label_in_network_grid(cut(logits, [])).dtype == np.uint16


ORIENTATIONS = [
    nibabel.orientations.ornt2axcodes(np.stack([axes, flips], axis=1))
    for axes in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    for flips in np.array(np.meshgrid(*[[1, -1]] * 3)).T.reshape(-1, 3)
]


@pytest.mark.parametrize("codes", ORIENTATIONS, ids="".join)
def test_all_48_orientations_come_back(codes):
    # One block of class 1 in an RAS volume of 1 mm; the source is the same, stored otherwise.
    label = np.zeros((6, 5, 4), np.uint8)
    label[1:3, 2:5, 0:2] = 1
    ras = nibabel.Nifti1Image(label, np.diag([2.0, 3.0, 4.0, 1.0]))
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(ras.affine),
        nibabel.orientations.axcodes2ornt(codes),
    )
    source = ras.as_reoriented(turn)
    grid = map_grids(source.affine, source.shape, ras.affine)
    logits = torch.stack([torch.as_tensor(label == c) for c in (0, 1)]).float()
    result = label_in_source_grid(cut(logits, [2, 1]), grid)
    np.testing.assert_array_equal(result, np.asarray(source.dataobj))


def test_an_oblique_source_is_brought_back_along_its_own_axes():
    turn = nibabel.eulerangles.euler2mat(0.3, 0.2, 0.1)
    source, network = np.eye(4), np.eye(4)
    source[:3, :3], source[:3, 3] = turn * [1, 1, 3], [5, -7, 9]
    network[:3, :3], network[:3, 3] = turn * [2, 2, 2], [5, -7, 9]
    grid = map_grids(source, (4, 4, 4), network)
    assert grid.axes == (0, 1, 2)
    np.testing.assert_allclose(grid.scale, [0.5, 0.5, 1.5])
    np.testing.assert_allclose(grid.offset, 0, atol=1e-9)


def test_a_recipe_that_turns_the_image_between_its_axes_is_refused():
    turned = np.eye(4)
    turned[:3, :3] = nibabel.eulerangles.euler2mat(0.3)
    with pytest.raises(DataError, match="rotates the image against its own axes"):
        map_grids(np.eye(4), (4, 4, 4), turned)


def test_a_single_slice_stored_backwards_gives_an_array_that_torch_can_hold():
    grid = GridMap((0, 1, 2), (1, 1, -1), (0, 0, 0), (3, 3, 1))
    label = label_in_source_grid(cut(torch.rand(2, 3, 3, 1), []), grid)
    assert torch.as_tensor(label).shape == (3, 3, 1)


@given(seed=st.integers(0, 1000), sizes=st.lists(st.integers(1, 6), max_size=5))
def test_foreground_is_above_one_half_where_two_classes_say_so(seed, sizes):
    logits = smooth_logits(seed, 2, (9, 8))
    grid = GridMap((1, 0), (0.5, -0.6), (0.3, 7), (15, 17))
    foreground = foreground_in_source_grid(cut(logits, sizes), grid)
    label = label_in_source_grid(cut(logits, sizes), grid)
    sure = np.abs(foreground - 0.5) > 1e-5
    np.testing.assert_array_equal((foreground > 0.5)[sure], label[sure] == 1)


def test_foreground_is_what_is_not_background():
    logits = smooth_logits(2, 4, (6, 5, 4))
    expected = 1 - logits.softmax(dim=0)[0]
    in_network = foreground_in_network_grid(cut(logits, [2, 3]))
    np.testing.assert_allclose(in_network, expected, atol=1e-6)
    same = GridMap((0, 1, 2), (1, 1, 1), (0, 0, 0), (6, 5, 4))
    np.testing.assert_allclose(
        foreground_in_source_grid(cut(logits, [2]), same), expected, atol=1e-5
    )
