import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from medseg.transforms import (
    Elastic,
    Flip,
    PatchGrid,
    Rotation,
    Shear,
    Shift,
    Warp,
    WarpRanges,
    Zoom,
    plan_patch,
    sample_warp,
)
from medseg.transforms.patch_reading import cut_patch
from medseg.transforms.sampling_grid import control_places
from medseg.transforms.spline import evaluate
from medseg.transforms.warp_patch import warp_patch

AFFINE = WarpRanges(
    flip=Flip(axes=[0, 1]),
    rotation=Rotation(degrees=40, prob=1),
    zoom=Zoom(low=0.7, high=1.4, prob=1, axes="apart"),
    shear=Shear(degrees=8, prob=1),
    shift=Shift(max_mm=4, prob=1),
)
ELASTIC = WarpRanges(
    rotation=Rotation(degrees=20, prob=1),
    elastic=Elastic(max_displacement_mm=5, control_spacing_mm=12, prob=1),
)
SPACINGS = {2: (1.0, 0.7), 3: (1.0, 0.7, 2.5)}
WORDS = {"border": "nearest", "reflection": "reflect", "zeros": "grid-constant"}
seeds = st.integers(0, 100_000)


def smooth(seed, shape):
    noise = np.random.default_rng(seed).standard_normal(shape)
    return ndimage.gaussian_filter(noise, 1.5).astype(np.float32)[None]


def some_grid(axes, start=(3, -2, 5), size=(12, 15, 8)):
    return PatchGrid(start=start[:axes], size=size[:axes], spacing_mm=SPACINGS[axes])


def places(warp, grid):
    """Where voxels come from, evaluated in double precision."""
    control = control_places(warp, grid)
    bases = [torch.as_tensor(b) for b in control.bases]
    return evaluate(torch.as_tensor(control.places), bases).numpy()


@given(seed=seeds, axes=st.sampled_from([2, 3]), dtype=st.sampled_from(["f2", "f4", "i2", "u1"]))
def test_the_identity_gives_the_crop_back_exactly(seed, axes, dtype):
    volume = np.random.default_rng(seed).integers(0, 99, (2, 9, 7, 5)[: axes + 1]).astype(dtype)
    grid = some_grid(axes, start=(-2, 1, 3), size=(11, 4, 5))
    plan = plan_patch(volume.shape[1:], grid, Warp.identity(axes))
    crop = cut_patch(volume, grid.start, grid.size, "border").float()
    assert torch.equal(warp_patch(volume, plan, "linear"), crop)


@given(seed=seeds, axes=st.sets(st.integers(0, 2)))
def test_flips_are_exact(seed, axes):
    volume = np.random.default_rng(seed).random((1, 9, 8, 7)).astype(np.float32)
    signs = np.array([-1.0 if a in axes else 1.0 for a in range(3)])
    flip = Warp(matrix=np.diag(signs), shift_mm=np.zeros(3))
    grid = PatchGrid(start=(1, 2, 0), size=(5, 6, 7), spacing_mm=(1, 2, 3))
    patch = warp_patch(volume, plan_patch((9, 8, 7), grid, flip), "linear").numpy()
    crop = volume[:, 1:6, 2:8, 0:7]
    np.testing.assert_array_equal(patch, np.flip(crop, [1 + a for a in axes]))


@given(seed=seeds, axes=st.sampled_from([2, 3]), padding=st.sampled_from(sorted(WORDS)))
def test_an_affine_warp_is_scipys_affine_transform(seed, axes, padding):
    volume, grid = smooth(seed, (20, 18, 14)[:axes]), some_grid(axes)
    warp = sample_warp(AFFINE, grid.extent_mm, np.random.RandomState(seed))
    patch = warp_patch(volume, plan_patch(volume.shape[1:], grid, warp, padding), "linear")
    # Voxel o comes from centre + S^-1 (M S (o - (size - 1) / 2) + shift), S the spacing.
    spacing = np.diag(grid.spacing_mm)
    matrix = np.linalg.inv(spacing) @ warp.matrix @ spacing
    middle = (np.asarray(grid.size) - 1) / 2
    offset = grid.centre + np.linalg.inv(spacing) @ warp.shift_mm - matrix @ middle
    expected = ndimage.affine_transform(
        volume[0], matrix, offset, output_shape=grid.size, order=1, mode=WORDS[padding]
    )
    np.testing.assert_allclose(patch[0].numpy(), expected, atol=1e-3)


@given(seed=seeds, axes=st.sampled_from([2, 3]), padding=st.sampled_from(sorted(WORDS)))
def test_an_elastic_warp_is_scipys_map_coordinates(seed, axes, padding):
    volume, grid = smooth(seed, (20, 18, 14)[:axes]), some_grid(axes)
    warp = sample_warp(ELASTIC, grid.extent_mm, np.random.RandomState(seed))
    patch = warp_patch(volume, plan_patch(volume.shape[1:], grid, warp, padding), "linear")
    expected = ndimage.map_coordinates(volume[0], places(warp, grid), order=1, mode=WORDS[padding])
    np.testing.assert_allclose(patch[0].numpy(), expected, atol=1e-3)


def test_a_voxel_of_a_deformed_patch_comes_from_where_the_equation_says():
    # Control points 10 mm apart; all move by 2 mm along the first axis: a plain shift.
    moved = np.zeros((2, 4, 4))
    moved[0] = 2
    warp = Warp(
        matrix=np.eye(2), shift_mm=np.zeros(2), displacement_mm=moved, control_spacing_mm=(10, 10)
    )
    volume = np.arange(400, dtype=np.float32).reshape(1, 20, 20)
    grid = PatchGrid(start=(5, 5), size=(4, 4), spacing_mm=(2.0, 2.0))
    patch = warp_patch(volume, plan_patch((20, 20), grid, warp), "linear")
    # 2 mm are one voxel of 2 mm, so row 5 is row 6.
    np.testing.assert_allclose(patch[0].numpy(), volume[0, 6:10, 5:9], atol=1e-3)


def test_a_rotation_turns_millimetres_not_voxels():
    # A quarter turn about a voxel's centre: 6 voxels of 1 mm become 2 of 3 mm.
    volume = np.zeros((1, 41, 41), np.float32)
    volume[0, 20 + 6, 20] = 1
    quarter = Warp(matrix=np.array([[0.0, -1.0], [1.0, 0.0]]), shift_mm=np.zeros(2))
    grid = PatchGrid(start=(10, 10), size=(21, 21), spacing_mm=(1.0, 3.0))
    patch = warp_patch(volume, plan_patch((41, 41), grid, quarter), "linear")[0]
    # The place y comes from M y: M (0, -6 mm) = (6 mm, 0), and -6 mm are -2 voxels of 3 mm.
    assert patch[10, 10 - 2] == pytest.approx(1, abs=1e-4)


@given(seed=seeds, interpolation=st.sampled_from(["nearest", "argmax"]))
def test_a_label_gains_no_value_and_keeps_its_type(seed, interpolation):
    label = np.random.default_rng(seed).choice([0, 3, 7, 200], (1, 12, 10, 9)).astype(np.uint8)
    grid = some_grid(3, size=(10, 9, 8))
    warp = sample_warp(ELASTIC, grid.extent_mm, np.random.RandomState(seed))
    patch = warp_patch(label, plan_patch(label.shape[1:], grid, warp), interpolation)
    assert patch.dtype == torch.uint8
    assert set(patch.unique().tolist()) <= {0, 3, 7, 200}


@given(seed=seeds, padding=st.sampled_from(sorted(WORDS)))
def test_the_nearest_voxel_is_the_one_that_scipy_finds(seed, padding):
    label = np.random.default_rng(seed).integers(0, 5, (1, 14, 12, 10)).astype(np.uint8)
    grid = some_grid(3)
    warp = sample_warp(ELASTIC, grid.extent_mm, np.random.RandomState(seed))
    patch = warp_patch(label, plan_patch(label.shape[1:], grid, warp, padding), "nearest")
    where = places(warp, grid)
    expected = ndimage.map_coordinates(label[0], where, order=0, mode=WORDS[padding])
    # A place half-way between two voxels may fall to either.
    sure = (np.abs(where % 1 - 0.5) > 1e-3).all(axis=0)
    if padding == "zeros":
        sure &= ((where > -0.49) | (where < -0.51)).all(axis=0)
    np.testing.assert_array_equal(patch[0].numpy()[sure], expected[sure])


@given(seed=seeds)
def test_image_and_label_stay_aligned(seed):
    i, j, k = np.indices((24, 24, 24))
    distance = np.sqrt((i - 11) ** 2 + (j - 12) ** 2 + (k - 10) ** 2) - 7
    ball = (distance < 0).astype(np.uint8)[None]
    grid = PatchGrid(start=(2, 2, 2), size=(20, 20, 20), spacing_mm=(1.0, 1.0, 1.0))
    warp = sample_warp(ELASTIC, grid.extent_mm, np.random.RandomState(seed))
    plan = plan_patch((24, 24, 24), grid, warp)
    warped = warp_patch(distance.astype(np.float32)[None], plan, "linear")
    clear = warped.abs() > 0.9  # further from the surface than a voxel's half diagonal
    assert torch.equal(warp_patch(ball, plan, "nearest")[clear] > 0, (warped < 0)[clear])
    smooth_label = warp_patch(ball, plan, "argmax")
    assert torch.equal(smooth_label[clear] > 0, (warped < 0)[clear])


@given(seed=seeds)
def test_two_dimensions_are_a_volume_of_one_slice(seed):
    image = smooth(seed, (16, 15))
    flat = some_grid(2)
    deep = PatchGrid(start=(*flat.start, 0), size=(*flat.size, 1), spacing_mm=(*flat.spacing_mm, 1))
    warp = sample_warp(ELASTIC, flat.extent_mm, np.random.RandomState(seed))
    matrix = np.eye(3)
    matrix[:2, :2] = warp.matrix
    assert warp.displacement_mm is not None
    displacement = np.zeros((3, *warp.displacement_mm.shape[1:], 4))
    displacement[:2] = warp.displacement_mm[..., None]
    thick = Warp(
        matrix=matrix,
        shift_mm=np.zeros(3),
        displacement_mm=displacement,
        control_spacing_mm=(12, 12, 12),
    )
    one = warp_patch(image, plan_patch((16, 15), flat, warp), "linear")
    two = warp_patch(image[..., None], plan_patch((16, 15, 1), deep, thick), "linear")
    torch.testing.assert_close(one, two[..., 0], atol=1e-4, rtol=0)


@given(seed=seeds, dtype=st.sampled_from([np.float16, np.int16, np.uint8, np.float64]))
def test_what_is_stored_in_fewer_bits_is_warped_in_float32(seed, dtype):
    volume = np.random.default_rng(seed).integers(0, 200, (1, 12, 12)).astype(dtype)
    grid = some_grid(2)
    warp = sample_warp(ELASTIC, grid.extent_mm, np.random.RandomState(seed))
    plan = plan_patch((12, 12), grid, warp)
    patch = warp_patch(volume, plan, "linear")
    assert patch.dtype == torch.float32
    assert torch.equal(patch, warp_patch(volume.astype(np.float32), plan, "linear"))


@given(seed=seeds, shape=st.tuples(*[st.integers(1, 4)] * 3))
def test_a_patch_may_be_larger_than_the_volume_and_an_axis_one_voxel_long(seed, shape):
    volume = np.full((1, *shape), 5, np.float32)
    grid = PatchGrid(start=(-3, -2, -1), size=(9, 8, 7), spacing_mm=(1.0, 2.0, 3.0))
    warp = sample_warp(ELASTIC, grid.extent_mm, np.random.RandomState(seed))
    patch = warp_patch(volume, plan_patch(shape, grid, warp), "linear")
    torch.testing.assert_close(patch, torch.full((1, 9, 8, 7), 5.0))


def test_only_what_the_patch_needs_is_read():
    class Counted(np.ndarray):
        read = 0

        def __getitem__(self, key):
            found = np.asarray(super().__getitem__(key))
            Counted.read += found.size
            return found

    volume = np.zeros((1, 100, 100, 100), np.float32).view(Counted)
    grid = PatchGrid(start=(40, 40, 40), size=(20, 20, 20), spacing_mm=(1.0, 1.0, 1.0))
    shift = Warp(matrix=np.eye(3), shift_mm=np.full(3, 0.5))
    warp_patch(volume, plan_patch((100, 100, 100), grid, shift), "linear")
    assert Counted.read <= 24**3  # two voxels to spare on every side


@pytest.mark.parametrize("axes", [2, 3])
def test_cubic_interpolation_is_nearer_to_a_spline_than_linear_is(axes):
    shift = Warp(matrix=np.eye(axes), shift_mm=np.full(axes, 0.5))
    image = smooth(0, (20,) * axes)
    grid = PatchGrid(start=(4,) * axes, size=(8,) * axes, spacing_mm=(1.0,) * axes)
    plan = plan_patch((20,) * axes, grid, shift)
    cubic, linear = (warp_patch(image, plan, kind)[0].numpy() for kind in ("cubic", "linear"))
    exact = ndimage.map_coordinates(image[0], np.indices((8,) * axes) + 4.5, order=3)
    assert np.abs(cubic - exact).mean() < 0.5 * np.abs(linear - exact).mean()
