import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from medseg.transforms import DropSliceAxisd


def test_a_file_of_one_slice_becomes_an_image_of_two_axes():
    affine = np.diag([0.7, 0.7, 8.0, 1.0])
    image = MetaTensor(torch.rand(1, 6, 4, 1), affine=torch.as_tensor(affine))
    dropped = DropSliceAxisd(keys=["image"])({"image": image, "case": "a"})
    assert dropped["image"].shape == (1, 6, 4)
    assert torch.equal(dropped["image"].as_tensor(), image.as_tensor()[..., 0])
    np.testing.assert_allclose(dropped["image"].affine, np.diag([0.7, 0.7, 1.0]))
    assert dropped["case"] == "a"


@pytest.mark.parametrize("shape", [(1, 6, 4, 3), (3, 6, 4), (3, 6, 1)])
def test_volumes_and_pictures_stay_as_they_are(shape):
    image = torch.rand(shape)
    assert DropSliceAxisd(keys="image")({"image": image})["image"].shape == shape
