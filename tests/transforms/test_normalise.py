"""Which voxels normalisations measure, what they refuse, and what kind of image they give."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import DataError, UsageError
from medseg.transforms import ClipPercentilesd, DatasetZScored, N4BiasFieldd, ZScored
from medseg.transforms.normalise import foreground

STEPS = {
    "z-score": ZScored("image", "all"),
    "percentiles": ClipPercentilesd("image", over="all"),
    "data set": DatasetZScored("image", low=0, high=5, mean=2, std=2),
    "N4": N4BiasFieldd("image", [1, 1, 1], over="all", iterations=2),
}
every = pytest.mark.parametrize("name", STEPS)


def an_image(shape=(1, 9, 8, 10), seed=0):
    return 1 + 9 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@every
def test_the_image_comes_out_as_float32_of_its_own_kind_and_is_not_written_to(name):
    image, step = an_image(), STEPS[name]
    affine = torch.diag(torch.tensor([2.0, 2.0, 3.0, 1.0]))
    meta = MetaTensor(image.clone(), affine=affine)
    kinds = [image.numpy().copy(), image.numpy().astype(np.float64), image.clone(), meta]
    expected = step({"image": image.clone()})["image"]
    for kind in kinds:
        before = np.asarray(kind).copy()
        found = step({"image": kind, "case": "a"})
        assert type(found["image"]) is type(kind)
        assert found["image"].dtype in (np.float32, torch.float32)
        np.testing.assert_allclose(np.asarray(found["image"]), expected, atol=1e-5)
        np.testing.assert_array_equal(np.asarray(kind), before)
        assert found["case"] == "a"
    assert torch.equal(step({"image": meta})["image"].affine, meta.affine)


@every
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float16])
def test_number_types_of_scanners_and_caches_are_taken(name, dtype):
    image = an_image().numpy().astype(dtype)
    image.setflags(write=False)
    expected = STEPS[name]({"image": image.astype(np.float32)})["image"]
    found = STEPS[name]({"image": image})["image"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


@every
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_cannot_be_measured_is_refused_by_case_and_key(name, bad):
    image = an_image()
    image[0, 0, 0, :2] = bad
    says = r"^image: 2 of 720 voxels are NaN or infinite; repair the image or leave the case out$"
    with pytest.raises(DataError, match=says):
        STEPS[name]({"image": image})
    with pytest.raises(DataError, match=r"^patient_7: image: 2 of 720 voxels"):
        STEPS[name]({"image": image, "case": "patient_7"})


@every
@pytest.mark.parametrize("value", [0.0, 1.0, 4.0])
def test_a_constant_image_stays_constant(name, value):
    found = STEPS[name]({"image": torch.full((1, 9, 8, 10), value)})["image"]
    assert torch.isfinite(found).all()
    assert len(found.unique()) == 1


@every
def test_a_missing_key_is_named(name):
    with pytest.raises(UsageError, match=r"'image' is not in the sample, which has \['label'\]"):
        STEPS[name]({"label": an_image()})


@pytest.mark.parametrize("make", [ZScored, ClipPercentilesd])
def test_an_unknown_foreground_is_refused(make):
    with pytest.raises(UsageError, match="over must be one of all, nonzero, otsu, got 'air'"):
        make("image", over="air")


def test_nonzero_voxels_are_those_that_are_not_0():
    channel = torch.tensor([[0.0, -1.0], [2.0, 0.0]])
    assert foreground(channel, "nonzero").tolist() == [[False, True], [True, False]]
    assert foreground(channel, "all").all()


def test_otsu_tells_a_body_from_dark_air():
    rng = torch.Generator().manual_seed(0)
    channel = 5 + torch.randn(20, 20, 20, generator=rng)
    body = torch.zeros(20, 20, 20, dtype=torch.bool)
    body[5:15, 5:15, 5:15] = True
    channel[body] += 100
    assert torch.equal(foreground(channel, "otsu"), body)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_otsu_finds_nothing_in_a_constant_image(value):
    assert not foreground(torch.full((3, 3), value), "otsu").any()
