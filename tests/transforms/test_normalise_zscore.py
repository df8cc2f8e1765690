import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import NormalizeIntensity

from medseg.transforms import ZScored, z_score
from tests.strategies import seeds, spatial_shapes


def an_image(shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_foreground_has_mean_0_and_the_air_lies_below_it_by_hand():
    # Without the zeros 4 and 8: mean 6, standard deviation 2; so 0 becomes -3.
    found = z_score(torch.tensor([0.0, 4.0, 8.0, 0.0]), "nonzero")
    assert found.tolist() == [-3, -1, 1, -3]


@given(shape=spatial_shapes, seed=seeds, scale=st.floats(0.1, 1000), offset=st.floats(-1000, 1000))
def test_scale_and_offset_of_the_scanner_do_not_matter(shape, seed, scale, offset):
    image = an_image(shape, seed)
    found = z_score(image.double() * scale + offset, "all").float()
    torch.testing.assert_close(found, z_score(image, "all"), atol=1e-4, rtol=1e-4)
    assert float(found.mean()) == pytest.approx(0, abs=1e-5)
    assert float(found.std(correction=0)) == pytest.approx(1, abs=1e-5)


@given(shape=spatial_shapes, seed=seeds)
def test_over_all_voxels_it_is_monais(shape, seed):
    image = an_image((3, *shape), seed)
    expected = NormalizeIntensity(channel_wise=True)(image.clone()).as_tensor()
    found = ZScored("image", "all")({"image": image})["image"]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_every_channel_of_a_colour_image_has_its_own():
    image = torch.stack([an_image((9, 9)), 100 + 5 * an_image((9, 9), 1), 7 * an_image((9, 9), 2)])
    found = ZScored("image", "all")({"image": image})["image"]
    np.testing.assert_allclose(found.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std((1, 2), correction=0), 1, atol=1e-5)


def test_the_empty_foreground_and_the_constant_one():
    assert z_score(torch.zeros(2, 2), "nonzero").tolist() == [[0, 0], [0, 0]]
    assert z_score(torch.full((2, 2), 0.1), "nonzero").tolist() == [[0, 0], [0, 0]]
    # one value in the foreground: it becomes 0, air its distance below
    assert z_score(torch.tensor([0.0, 7.0, 7.0]), "nonzero").tolist() == [-7, 0, 0]


def test_a_large_offset_costs_no_digits():
    image = 30000 + an_image((30, 30, 30))
    found = z_score(image, "all")
    assert float(found.double().mean()) == pytest.approx(0, abs=1e-3)
    assert float(found.double().std()) == pytest.approx(1, abs=1e-3)


@pytest.mark.data
def test_real_crops_of_any_scale_become_alike(real_data):
    nibabel = pytest.importorskip("nibabel")
    paths = sorted((real_data / "mri" / "hippocampus" / "images").glob("*.nii.gz"))[::20]
    assert paths
    for path in paths:
        image = torch.tensor(nibabel.load(path).get_fdata(dtype=np.float32))[None]
        found = ZScored("image", "nonzero")({"image": image})["image"]
        # Nearly every voxel of a crop is tissue, so that all of it is measured.
        assert (image != 0).double().mean() > 0.99
        assert float(found.mean()) == pytest.approx(0, abs=0.05)
        assert float(found.std()) == pytest.approx(1, abs=0.05)
