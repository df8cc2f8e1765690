"""What the MRI recipes promise beyond what all recipes do."""

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose

from tests.conftest import REPOSITORY


def steps(recipe, *sections, **changes):
    parser = ConfigParser()
    parser.read_config(str(REPOSITORY / "transforms" / f"{recipe}.yaml"))
    parser.update(changes)
    return Compose([step for name in sections for step in parser.get_parsed_content(name)])


def write(folder, shape, spacing_mm, unit=1.0):
    """A shaded ball in black air, brighter within; the label marks shell and core."""
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes[: 3 if shape[2] > 1 else 2]))
    label = (radius < 0.9).astype(np.uint8) + (radius < 0.4)
    noise = np.random.default_rng(0).normal(0, 3, shape)
    image = np.where(label, 60.0 + 80 * (label == 2) + noise, 0.0) * np.exp(0.3 * axes[0])
    affine = np.diag([*spacing_mm, 1.0])
    paths = {key: str(folder / f"{key}.nii.gz") for key in ("image", "label")}
    nib.save(nib.Nifti1Image((unit * image).astype(np.float32), affine), paths["image"])
    nib.save(nib.Nifti1Image(label, affine), paths["label"])
    return paths


def brain(case, **changes):
    return steps("mri_brain", "preprocessing_steps", **changes)(case)


def test_the_scale_is_that_of_the_tissue_and_air_lies_below_it(tmp_path):
    found = brain(write(tmp_path, (40, 44, 36), (1, 1, 1)))
    image, tissue = found["image"], found["label"] > 0
    assert float(image[tissue].mean()) == pytest.approx(0, abs=1e-3)
    assert float(image[tissue].std()) == pytest.approx(1, abs=1e-3)
    assert image[~tissue].max() < image[tissue].min()


def test_the_scanners_unit_does_not_matter(tmp_path):
    found = [brain(write(tmp_path, (20, 22, 18), (1, 1, 1), unit)) for unit in (1, 12345)]
    torch.testing.assert_close(found[0]["image"], found[1]["image"], atol=1e-4, rtol=1e-4)


def test_n4_is_done_where_it_is_asked_for(tmp_path):
    case = write(tmp_path, (40, 44, 36), (3, 3, 3))
    changes = {"spacing_mm": [3.0, 3.0, 3.0]}
    shaded, corrected = (brain(case, bias_correction=how, **changes) for how in ("none", "n4"))

    def spread(found):
        core = found["image"][found["label"] == 2]
        return float(core.std())

    assert spread(corrected) < 0.6 * spread(shaded)


def test_a_slice_is_an_image_of_two_axes_from_no_signal_to_fat(tmp_path):
    case = write(tmp_path, (120, 60, 1), (2, 2, 8))
    changes = {"patch_size": [96, 64], "spacing_mm": [2.0, 2.0]}
    prepared = steps("mri_abdomen", "preprocessing_steps", "label_steps", **changes)(case)
    assert prepared["image"].shape == prepared["label"].shape == (1, 120, 60)
    assert prepared["image"][prepared["label"] == 0].max() < 1e-6
    assert prepared["image"].max() == 1
    augmentation = steps("mri_abdomen", "augmentation_steps", **changes).set_random_state(0)
    for _ in range(8):
        sample = augmentation(dict(prepared))
        assert type(sample["image"]) is torch.Tensor
        assert sample["image"].shape == sample["label"].shape == (1, 96, 64)
        assert sample["image"].isfinite().all()


def test_pixels_are_resampled_in_the_plane_alone(tmp_path):
    case = write(tmp_path, (60, 30, 1), (2, 2, 8))
    prepared = steps("mri_abdomen", "preprocessing_steps", spacing_mm=[1.0, 1.0])(case)
    assert prepared["image"].shape == (1, 119, 59)


@pytest.mark.data
def test_real_crops_of_all_scales_become_alike(real_data):
    folder = real_data / "mri" / "hippocampus"
    for path in sorted((folder / "images").glob("*.nii.gz"))[::40]:
        case = {"image": str(path), "label": str(folder / "labels" / path.name)}
        prepared = steps("mri_brain", "preprocessing_steps", "label_steps")(case)
        assert prepared["image"].abs().max() < 8
        assert float(prepared["image"].mean()) == pytest.approx(0, abs=0.05)
        sample = steps("mri_brain", "augmentation_steps")(dict(prepared))
        assert sample["image"].shape == (1, 40, 56, 40)
        assert type(sample["image"]) is torch.Tensor
