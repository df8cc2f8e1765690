"""Domain shift: behind the reading, of known strength, in its place."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import CastToTyped, LoadImaged, Resized, ScaleIntensityd

from medseg.data import RasterReader
from medseg.errors import UsageError
from medseg.transforms import RandBlurd, RandGaussianNoised, shifted_steps
from medseg.transforms.blur import gaussian_blur

IMAGE, LABEL = (LoadImaged(key, reader=RasterReader) for key in ("image", "label"))
REST = [ScaleIntensityd("image"), CastToTyped("label")]


def blur():
    return RandBlurd("image", sigma_mm_range=(2, 2), spacing_mm=(1, 1), prob=1)


def noise():
    return RandGaussianNoised("image", std_range=(3, 3), prob=1)


def image():
    affine = np.diag([2.0, 2.0, 1.0, 1.0])
    pixels = torch.rand(1, 8, 6, generator=torch.Generator().manual_seed(0))
    return MetaTensor(pixels, affine=affine, meta={"filename_or_obj": "a.png"})


def test_it_follows_the_last_step_that_reads():
    steps = shifted_steps([IMAGE, LABEL, *REST], [blur()])
    assert steps[:2] == [IMAGE, LABEL]
    assert steps[3:] == REST


def test_no_shift_leaves_the_steps():
    assert shifted_steps([IMAGE, *REST], []) == [IMAGE, *REST]
    assert shifted_steps(REST, []) == REST


def test_a_range_of_one_value_is_a_known_strength_and_the_place_is_kept():
    shift = shifted_steps([IMAGE], [blur()])[1]
    before, label = image(), torch.ones(1, 8, 6)
    after = shift({"image": before, "label": label})
    torch.testing.assert_close(
        after["image"].as_tensor(), gaussian_blur(before.as_tensor(), [2.0, 2.0])
    )
    assert torch.equal(after["image"].affine, before.affine)
    assert after["image"].meta["filename_or_obj"] == "a.png"
    assert after["label"] is label


def test_noise_is_the_same_for_the_same_seed():
    def noisy(seed):
        shift = shifted_steps([IMAGE], [noise()])[1].set_random_state(seed)
        return shift({"image": image()})["image"]

    assert torch.equal(noisy(1), noisy(1))
    assert not torch.equal(noisy(1), noisy(2))


def test_steps_that_read_nothing_have_no_place_for_it():
    with pytest.raises(UsageError, match="no LoadImaged"):
        shifted_steps(REST, [blur()])


def test_a_step_that_changes_the_size_is_refused():
    shift = shifted_steps([IMAGE], [Resized("image", spatial_size=(4, 3))])[1]
    with pytest.raises(UsageError, match="override the pixel size"):
        shift({"image": image()})
