import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data.meta_tensor import MetaTensor
from monai.data.utils import list_data_collate
from monai.transforms.compose import Compose
from monai.transforms.spatial.dictionary import Orientationd, Spacingd
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from medseg.errors import DataError
from medseg.inference import SlidingWindowLabels
from medseg.inference.label_place import label_place
from medseg.transforms import DropSliceAxisd

RECIPE = Compose(
    [
        Orientationd(keys="image", axcodes="RAS", labels=None),
        Spacingd(keys="image", pixdim=(1.0, 1.0), mode="bilinear"),
        DropSliceAxisd(keys="image"),
    ]
)
orientations = st.permutations(["LR", "AP", "IS"]).flatmap(
    lambda axes: st.tuples(*map(st.sampled_from, axes)).map("".join)
)


def bright_or_not(stack):
    """A 2-D network that needs no training."""
    assert stack.ndim == 4
    return torch.cat((0.5 - stack, stack - 0.5), dim=1)


def stored(volume, spacing, codes):
    """An axial volume `(I, J, K)` of RAS stored in another order, as `LoadImaged` gives it."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    affine = np.diag([*spacing, 1.0]) @ inv_ornt_aff(turn, volume.shape)
    order = np.argsort(turn[:, 0]).astype(int)
    array = volume.transpose(order)
    array = np.flip(array, [a for a, o in enumerate(order) if turn[o, 1] < 0])
    image = MetaTensor(torch.tensor(array.copy())[None], affine=torch.as_tensor(affine))
    image.meta["original_affine"] = torch.as_tensor(affine)
    image.meta["spatial_shape"] = np.array(array.shape)
    return array, affine, image


def blobs(shape):
    """Smooth enough that resampling there and back moves no border by a voxel."""
    i, j, k = np.indices(shape)
    return (0.5 + 0.5 * np.sin(i / 3 + k + 0.2) * np.cos(j / 4)).astype(np.float32)


def labelled(volume, codes, window=(16, 16)):
    array, affine, image = stored(volume, (1.0, 1.0, 5.0), codes)
    batch = list_data_collate([RECIPE({"image": image})])["image"]
    return array, affine, SlidingWindowLabels(window)(batch, bright_or_not)


@given(codes=orientations)
def test_a_slice_has_its_label_in_its_own_three_axes(codes):
    array, affine, label = labelled(blobs((20, 14, 1)), codes)
    assert label.shape == (1, 1, *array.shape)
    np.testing.assert_array_equal(label[0, 0], array > 0.5)
    np.testing.assert_allclose(label.affine[0], affine)


@given(codes=orientations)
def test_a_volume_is_labelled_slice_by_slice_in_its_own_grid(codes):
    array, affine, label = labelled(blobs((20, 14, 5)), codes)
    assert label.shape == (1, 1, *array.shape)
    np.testing.assert_array_equal(label[0, 0], array > 0.5)
    np.testing.assert_allclose(label.affine[0], affine)


def test_a_volume_and_its_slices_get_the_same_labels():
    volume = blobs((20, 14, 4))
    _, _, whole = labelled(volume, "LPS")
    for k in range(4):
        _, _, alone = labelled(volume[:, :, k : k + 1], "LPS")
        assert torch.equal(whole[..., k : k + 1].as_tensor(), alone.as_tensor())


def test_windows_side_by_side_of_a_volume_lie_in_its_slices():
    volume = torch.rand(1, 20, 14, 3)
    windows = SlidingWindowLabels((8, 8)).windows_apart(volume)
    assert len(windows) == 3 * 2 * 3
    assert torch.equal(windows[1][0], volume[0, :8, :8, 1])


def test_an_image_of_another_number_of_axes_is_refused_in_one_line():
    with pytest.raises(DataError, match="windows have 3 axes and the image has 2; use an image"):
        SlidingWindowLabels((8, 8, 8), grid="network")(torch.rand(1, 1, 9, 9), bright_or_not)


def test_a_slice_without_an_axis_of_one_voxel_has_no_place():
    image = MetaTensor(torch.rand(1, 1, 6, 4), affine=torch.eye(3)[None])
    image.meta |= {"original_affine": np.eye(4), "spatial_shape": np.array([6, 4, 2])}
    with pytest.raises(DataError, match=r"an axis of one voxel, got shape \(6, 4, 2\)"):
        label_place(image, "source")


def test_of_several_axes_of_one_voxel_the_slice_lacks_the_one_to_the_head():
    image = MetaTensor(torch.rand(1, 1, 6, 1), affine=torch.eye(3)[None])
    affine = np.eye(4)[[0, 2, 1, 3]]  # the second axis runs to the head
    image.meta |= {"original_affine": affine, "spatial_shape": np.array([6, 1, 1])}
    assert label_place(image, "source").slice_axis == 1
