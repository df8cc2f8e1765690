import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data.meta_tensor import MetaTensor
from monai.transforms.spatial.dictionary import Spacingd

from medseg.transforms import LinearSpacingd, interpolate_axes

spacings = st.tuples(*[st.floats(0.6, 3.5)] * 3)


def image(shape=(9, 8, 7), spacing=(1.0, 1.5, 3.0), seed=0, dtype=torch.float32):
    torch.manual_seed(seed)
    affine = torch.diag(torch.tensor([*spacing, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-5.0, 7.0, 11.0])
    return MetaTensor((1000 * torch.randn(1, *shape)).to(dtype), affine=affine)


@given(wanted=spacings, given_mm=spacings, seed=st.integers(0, 99))
def test_voxels_and_affine_equal_monais(wanted, given_mm, seed):
    source = {"image": image(spacing=given_mm, seed=seed)}
    ours = LinearSpacingd("image", pixdim=wanted)(source)["image"]
    theirs = Spacingd("image", pixdim=wanted)(source)["image"]
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours.affine, theirs.affine)
    torch.testing.assert_close(ours.as_tensor(), theirs.as_tensor(), rtol=1e-4, atol=0.05)


@pytest.mark.parametrize("step", [LinearSpacingd, Spacingd])
def test_monais_inverse_restores_the_original_grid(step):
    transform = step("image", pixdim=(2.0, 2.0, 2.0))
    source = image()
    back = transform.inverse(transform({"image": source}))["image"]
    assert back.shape == source.shape
    torch.testing.assert_close(back.affine, source.affine)
    assert not back.applied_operations


def test_the_inverse_is_monais():
    ways = [step("image", pixdim=(2.0, 2.0, 2.0)) for step in (LinearSpacingd, Spacingd)]
    ours, theirs = (way.inverse(way({"image": image()}))["image"] for way in ways)
    torch.testing.assert_close(ours.as_tensor(), theirs.as_tensor(), rtol=1e-4, atol=0.05)


def test_an_image_of_that_spacing_stays_as_it_is():
    source = image(spacing=(2.0, 2.0, 2.0))
    same = LinearSpacingd("image", pixdim=(2.0, 2.0, 2.0))({"image": source})["image"]
    assert torch.equal(same.as_tensor(), source.as_tensor())


def test_labels_keep_their_values_and_oblique_axes_go_monais_way():
    source = image()
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    source.affine[:3, :3] = torch.as_tensor(turn @ np.diag([1.0, 1.5, 3.0]))
    both = {"image": source, "label": image(seed=1).round()}
    options = {"keys": ["image", "label"], "pixdim": (2.0, 2.0, 2.0)}
    modes = ["bilinear", "nearest"]
    ours = LinearSpacingd(**options, mode=modes)(both)
    theirs = Spacingd(**options, mode=modes)(both)
    assert torch.equal(ours["label"].as_tensor(), theirs["label"].as_tensor())
    torch.testing.assert_close(
        ours["image"].as_tensor(), theirs["image"].as_tensor(), atol=0.05, rtol=1e-4
    )


def test_by_hand():
    # Halfway between 2 and 6, a quarter of the way from 6 to 10, and beyond both ends.
    row = torch.tensor([[2.0, 6.0, 10.0]])
    places = [np.array([0.5, 1.25, -3.0, 9.0])]
    assert interpolate_axes(row, places).tolist() == [[4.0, 7.0, 2.0, 10.0]]


def test_whole_numbers_become_float32():
    row = torch.tensor([[2, 5]], dtype=torch.int16)
    assert interpolate_axes(row, [np.array([0.5])]).tolist() == [[3.5]]
