import numpy as np
import pytest
import torch

from medseg.errors import DataError, UsageError
from medseg.transforms import N4BiasFieldd, correct_bias_field, gain_field


def a_body(shape=(40, 44, 36)):
    """A phantom of two tissues in air, and where it is."""
    axes = [np.linspace(-1, 1, n) for n in shape]
    radius = np.sqrt(sum(x**2 for x in np.meshgrid(*axes, indexing="ij")))
    body = radius < 0.9
    inner = radius < 0.5
    rng = np.random.default_rng(0)
    image = np.where(inner, 150.0, np.where(body, 100.0, 0.0)) + body * rng.normal(0, 2, shape)
    return torch.tensor(image.clip(0), dtype=torch.float32), torch.tensor(body & ~inner)


def a_gain(shape, strength=0.4):
    controls = np.random.default_rng(1).uniform(-strength, strength, (4,) * len(shape))
    return gain_field(torch.tensor(controls, dtype=torch.float32), shape)


def variation(values):
    return float(values.std() / values.mean())


@pytest.mark.parametrize("shape", [(40, 44, 36), (80, 90)])
def test_one_tissue_gets_one_intensity(shape):
    image, tissue = a_body(shape)
    shaded = image * a_gain(shape)
    found = correct_bias_field(shaded, [1] * len(shape), shrink_factor=2)
    assert variation(shaded[tissue]) > 1.5 * variation(image[tissue])
    assert variation(found[tissue]) < 1.15 * variation(image[tissue])


def test_what_needs_no_correction_gets_little():
    image, tissue = a_body()
    found = correct_bias_field(image, [1, 1, 1])
    assert variation((found / image)[tissue]) < 0.02


def test_it_is_the_same_every_time():
    image, _ = a_body()
    shaded = image * a_gain(image.shape)
    first, second = (correct_bias_field(shaded, [1, 1, 1]) for _ in range(2))
    assert torch.equal(first, second)


def test_the_grid_is_as_fine_as_the_millimetres_say():
    image, tissue = a_body((40, 40))
    wavy = image * (1 + 0.2 * torch.sin(torch.arange(40.0) * 2 * torch.pi / 20))
    coarse = N4BiasFieldd("image", [5, 5], control_spacing_mm=200, shrink_factor=1)
    fine = N4BiasFieldd("image", [5, 5], control_spacing_mm=25, shrink_factor=1)
    left = [variation(step({"image": wavy[None]})["image"][0][tissue]) for step in (coarse, fine)]
    assert left[1] < 0.6 * left[0]


@pytest.mark.parametrize("shape", [(9, 9, 1), (1, 30, 30), (5, 4, 3), (1, 1, 9)])
def test_few_voxels_are_enough(shape):
    image = 1 + torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    found = N4BiasFieldd("image", [1, 1, 1])({"image": image})["image"]
    assert found.shape == image.shape
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_with_nothing_to_estimate_from_the_image_stays(value):
    image = torch.full((20, 20), value)
    for over in ("all", "nonzero", "otsu"):
        assert torch.equal(correct_bias_field(image, [1, 1], over=over), image)


def test_one_voxel_that_differs_is_no_field():
    image = torch.full((20, 20, 20), 5.0)
    image[0, 0, 0] = 6
    torch.testing.assert_close(correct_bias_field(image, [1, 1, 1], over="all"), image)


def test_the_brightness_of_the_whole_stays():
    image, tissue = a_body()
    shaded = image * a_gain(image.shape)
    found = correct_bias_field(shaded, [1, 1, 1])
    assert float(found[tissue].mean() / shaded[tissue].mean()) == pytest.approx(1, abs=0.03)


def test_air_stays_0():
    image, _ = a_body()
    found = correct_bias_field(image, [1, 1, 1])
    assert torch.equal(found == 0, image == 0)


@pytest.mark.data
def test_a_real_crop_keeps_its_tissues(real_data):
    nibabel = pytest.importorskip("nibabel")
    path = real_data / "mri" / "hippocampus" / "images" / "hippocampus_001.nii.gz"
    image = torch.tensor(nibabel.load(path).get_fdata(dtype=np.float32))[None]
    found = N4BiasFieldd("image", [1, 1, 1], over="nonzero")({"image": image})["image"]
    assert float(np.corrcoef(image.flatten(), found.flatten())[0, 1]) > 0.95


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"spacing_mm": [1, 0, 1]}, "spacing_mm must be 2 or 3 positive numbers"),
        ({"control_spacing_mm": 0}, "control_spacing_mm must be a finite number above 0, got 0"),
        (
            {"control_spacing_mm": float("nan")},
            "control_spacing_mm must be a finite number above 0",
        ),
        ({"over": "head"}, "over must be one of all, nonzero, otsu"),
        ({"shrink_factor": 0}, "shrink_factor must be a whole number from 1, got 0"),
        ({"iterations": 0}, "iterations must be a whole number from 1"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        N4BiasFieldd("image", **{"spacing_mm": [1, 1, 1], **arguments})


def test_a_z_score_is_refused():
    with pytest.raises(
        DataError, match="lowest intensity is -1, but N4 needs 0 or more; put N4BiasFieldd be"
    ):
        N4BiasFieldd("image", [1, 1])({"image": torch.tensor([[[-1.0, 2.0]]])})


def test_a_spacing_for_other_axes_is_refused():
    with pytest.raises(UsageError, match="spacing_mm must have a number for each of 3 axes, got 2"):
        N4BiasFieldd("image", [1, 1])({"image": torch.rand(1, 4, 4, 4)})
