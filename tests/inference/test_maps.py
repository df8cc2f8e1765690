import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data.meta_tensor import MetaTensor

from medseg.inference import SlidingWindowLabels, VoxelMaps, save_map
from medseg.inference.grid_map import GridMap
from medseg.inference.region import Part
from medseg.inference.slabs import Slab
from medseg.inference.source_grid import label_in_source_grid

KINDS = ("probabilities", "entropy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


def probabilities(classes, shape, seed=0):
    torch.manual_seed(seed)
    return (4 * torch.randn(classes, *shape)).softmax(dim=0)


@given(
    classes=st.integers(2, 5),
    scale=st.tuples(*[st.sampled_from([-1.3, 0.5, 1.0])] * 3),
    axis=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_probabilities_sum_to_one_and_the_label_is_the_greatest(classes, scale, axis, seed, folder):
    known = probabilities(classes, (6, 5, 4), seed)
    grid = GridMap((2, 0, 1), scale, (0.3, 0.1, 0.6), (5, 7, 6))
    maps = VoxelMaps(KINDS, folder)
    slabs = [Slab(0, known.movedim(1 + axis, 1)[:, :2]), Slab(2, known.movedim(1 + axis, 1)[:, 2:])]
    label = label_in_source_grid(slabs, grid, axis, watch=maps)
    levels = maps.get("probabilities").astype(int)
    assert levels.shape == (classes, *grid.shape)
    assert np.abs(levels.sum(axis=0) - 255).max() <= classes / 2
    chosen = np.take_along_axis(levels, label[None].astype(int), axis=0)[0]
    np.testing.assert_array_equal(chosen, levels.max(axis=0))
    maps.close()


def test_entropy_by_hand(folder):
    # Certain of the first class; torn between both; 0.9 and 0.1: 0.469 of one bit, of 255: 119.6.
    known = torch.tensor([[1.0, 0.5, 0.9], [0.0, 0.5, 0.1]]).view(2, 3, 1, 1)
    maps = VoxelMaps(["entropy"], folder)
    grid = GridMap((0, 1, 2), (1, 1, 1), (0, 0, 0), (3, 1, 1))
    label_in_source_grid([Slab(0, known)], grid, watch=maps)
    assert maps.get("entropy").ravel().tolist() == [0, 255, 120]
    maps.close()


def test_outside_the_part_that_was_predicted_it_is_background_for_certain(folder):
    known = probabilities(3, (2, 4, 4))
    maps = VoxelMaps(KINDS, folder)
    grid = GridMap((0, 1, 2), (1, 1, 1), (0, 0, 0), (6, 4, 4))
    part = Part((slice(2, 4), slice(0, 4), slice(0, 4)), (6, 4, 4))
    label_in_source_grid([Slab(0, known)], grid, part=part, watch=maps)
    levels = maps.get("probabilities")
    assert (levels[0, [0, 1, 4, 5]] == 255).all()
    assert not levels[1:, [0, 1, 4, 5]].any()
    np.testing.assert_array_equal(levels[:, 2:4], (known * 255).round().byte().numpy())
    assert not maps.get("entropy")[0, [0, 1, 4, 5]].any()
    maps.close()


def test_a_second_prediction_begins_anew_and_nothing_is_left_in_the_folder(tmp_path):
    maps = VoxelMaps(["probabilities"], tmp_path)
    grid = GridMap((0, 1, 2), (1, 1, 1), (0, 0, 0), (2, 2, 2))
    for seed in (0, 1):
        label_in_source_grid([Slab(0, probabilities(2, (2, 2, 2), seed))], grid, watch=maps)
    expected = (probabilities(2, (2, 2, 2), 1) * 255).round().byte().numpy()
    np.testing.assert_array_equal(maps.get("probabilities"), expected)
    maps.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("classes", [1, 3])
def test_a_saved_map_is_read_as_numbers_from_0_to_1_where_the_label_is(classes, tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (classes, 5, 4, 3), dtype=np.uint8)
    affine = np.diag([-2.0, 3.0, 4.0, 1.0])
    save_map(tmp_path / "map.nii.gz", levels, affine)
    nifti = nibabel.load(tmp_path / "map.nii.gz")
    np.testing.assert_allclose(nifti.affine, affine)
    np.testing.assert_allclose(nifti.get_qform(), affine)
    expected = np.moveaxis(levels / 255, 0, -1)
    expected = expected[..., 0] if classes == 1 else expected
    np.testing.assert_allclose(nifti.get_fdata(), expected, atol=1e-6)


def test_maps_of_logits_are_refused(folder):
    inferer = SlidingWindowLabels((4, 4, 4), interpolate="logits")
    with pytest.raises(ValueError, match="maps need the probabilities that labels are chosen by"):
        inferer(MetaTensor(torch.rand(1, 1, 4, 4, 4)), lambda x: x, watch=VoxelMaps(KINDS, folder))


def test_unknown_kinds_are_refused(folder):
    with pytest.raises(ValueError, match="kinds must be one of"):
        VoxelMaps(["variance"], folder)  # type: ignore[list-item]
