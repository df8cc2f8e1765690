"""What the recipe for several channels promises beyond what all recipes do."""

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose

from tests.conftest import REPOSITORY
from tests.data.channel_builders import write_patient

SCALE = "medseg.transforms.ZScoreScale"


def steps(*sections, **changes):
    parser = ConfigParser()
    parser.read_config(str(REPOSITORY / "transforms" / "several_channels.yaml"))
    parser.update(changes)
    return Compose([step for name in sections for step in parser.get_parsed_content(name)])


@pytest.fixture
def case(tmp_path):
    folder = write_patient(tmp_path)
    image = [str(folder / "pet.nii.gz"), str(folder / "mr.nii.gz")]
    return {"image": image, "label": str(folder / "mask.nii.gz")}


def test_each_channel_has_its_own_scale_in_one_grid(case):
    found = steps("preprocessing_steps", spacing_mm=[5.0, 5.0, 5.0])(case)
    pet, mr = found["image"]
    assert pet.shape == mr.shape == found["label"].shape[1:]
    hot = found["label"][0] > 0
    # An uptake of 6 in a window from 0 to 15.
    assert float(pet[hot].mean()) == pytest.approx(6 / 15, abs=0.02)
    # Outside of the MR, which is smaller, there is no signal, and it is not measured.
    inside = mr > mr.min() + 1e-3
    assert float(mr[inside].mean()) == pytest.approx(0, abs=1e-3)
    assert mr[hot].mean() < mr[inside & ~hot].mean()


def test_the_warp_is_the_same_for_all_channels_and_the_rest_is_not(case):
    same = {**case, "image": [case["image"][0]] * 2}
    # A file given twice would be one of four axes, so that the second is a copy.
    copy = case["image"][0].replace("pet.nii.gz", "copy.nii.gz")
    nib.save(nib.load(case["image"][0]), copy)
    same["image"][1] = copy
    scales = [{"_target_": SCALE, "over": "all"}] * 2
    small = {"spacing_mm": [5.0, 5.0, 5.0], "patch_size": [8, 8, 8], "scales": scales}
    prepared = steps("preprocessing_steps", "label_steps", **small)(same)
    assert torch.equal(prepared["image"][0], prepared["image"][1])
    warp, each = steps("augmentation_steps", **small).transforms
    differ = 0
    for seed in range(10):
        state = np.random.RandomState(seed)
        warped = warp.set_random_state(state=state)(dict(prepared))
        assert torch.equal(warped["image"][0], warped["image"][1])
        drawn = each.set_random_state(state=state)(warped)["image"]
        differ += not torch.equal(drawn[0], drawn[1])
    assert differ >= 5


def test_single_slices_are_images_of_two_axes(tmp_path):
    paths = [str(tmp_path / f"{name}.nii.gz") for name in ("t1", "t2", "label")]
    label = np.zeros((40, 30, 1), np.uint8)
    label[10:20, 10:20] = 1
    noise = np.random.default_rng(0).normal(0, 1, (2, 40, 30, 1))
    for path, array in zip(paths, [*(noise + 5 * label + 9), label], strict=True):
        kept = array.astype(np.uint8 if path is paths[2] else np.float32)
        nib.save(nib.Nifti1Image(kept, np.diag([2.0, 2, 6, 1])), path)
    flat = {
        "spatial_dims": 2,
        "spacing_mm": [2.0, 2.0],
        "patch_size": [32, 16],
        "scales": [{"_target_": SCALE}] * 2,
    }
    prepared = steps("preprocessing_steps", "label_steps", **flat)(
        {"image": paths[:2], "label": paths[2]}
    )
    assert prepared["image"].shape == (2, 40, 30)
    sample = steps("augmentation_steps", **flat).set_random_state(1)(dict(prepared))
    assert sample["image"].shape == (2, 32, 16)
    assert sample["label"].shape == (1, 32, 16)
    assert sample["image"].isfinite().all()
