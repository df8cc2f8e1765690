"""What every recipe in transforms/ promises: it runs, and training can rely on what comes out."""

import re
import shutil
from importlib import import_module
from itertools import islice

import nibabel
import numpy as np
import pytest
import torch
import yaml
from monai.transforms.compose import Compose
from PIL import Image
from torch.utils.data import DataLoader

from medseg.bundles import build_steps, read_recipe
from medseg.data import CaseDataset, RandomDraws
from medseg.data.cases.draws import Draw
from tests.bundles.test_contract import strings, targets
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore")

RECIPES = sorted(REPOSITORY.glob("transforms/*.yaml"))
SECTIONS = ("preprocessing_steps", "label_steps", "augmentation_steps")
# Images and labels of a real case, and what has to be said about them.
REAL = {
    "ct_chest": (
        "chest_ct/covid19-ct-seg/coronacase_01_ct.nii.gz",
        "chest_ct/covid19-ct-seg/coronacase_01_labels.nii.gz",
        "window=[0.0, 255.0]",  # not in HU
    ),
    "ct_body": (
        "body_ct/msd-spleen/spleen_8_ct.nii.gz",
        "body_ct/msd-spleen/spleen_8_label.nii.gz",
    ),
    "mri_brain": (
        "mri/hippocampus/images/hippocampus_001.nii.gz",
        "mri/hippocampus/labels/hippocampus_001.nii.gz",
    ),
    "microscopy_dic": (
        "microscopy/dic-c2dh-hela/01/t002.tif",
        "microscopy/dic-c2dh-hela/01_GT/SEG/man_seg002.tif",
    ),
    "histology_he": (
        "histology/ebhi-seg/polyp/image/GT2012154-2-400-003.png",
        "histology/ebhi-seg/polyp/label/GT2012154-2-400-003.png",
    ),
}

every_recipe = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)


def blobs(shape):
    """Two touching balls, numbered, in a volume or a picture."""
    places = np.indices(shape)
    label = np.zeros(shape, dtype=np.uint8)
    for value, shift in ((1, -0.2), (2, 0.2)):
        centre = [n / 2 for n in shape]
        centre[0] += shift * shape[0]
        reach = sum(((x - c) / n) ** 2 for x, c, n in zip(places, centre, shape, strict=True))
        label[reach < 0.2**2] = value
    return label


def write_phantom(folder, config):
    """A case of the kind that the recipe loads: a NIfTI volume, or a picture, grey or in colour."""
    rng = np.random.default_rng(0)
    if "RasterReader" not in str(config["reader"]):
        label = blobs((40, 36, 30)[: len(config["patch_size"])])
        # A slice has a third axis in its file.
        label = label if label.ndim == 3 else label[..., None]
        image = 300.0 * label + 50 + rng.normal(0, 10, label.shape)
        # Voxels of 3 mm, axes to the left, to the back and to the head.
        affine = np.diag([-3.0, -3.0, 3.0, 1.0])
        paths = [folder / "image.nii.gz", folder / "label.nii.gz"]
        for array, file in zip((image.astype(np.float32), label), paths, strict=True):
            nibabel.save(nibabel.Nifti1Image(array, affine), file)
        return paths
    label = blobs((150, 170))
    channels = (3,) if "rgb" in list(strings(config)) else ()
    image = 40 + 70 * label.reshape(*label.shape, *(1 for _ in channels))
    image = image + rng.integers(0, 20, label.shape + channels)
    paths = [folder / "image.png", folder / "label.png"]
    Image.fromarray(image.astype(np.uint8)).save(paths[0])
    # Cells are numbered and a mask is white: both are told by numbers that are large.
    Image.fromarray(np.where(label > 0, 200 + label, 0).astype(np.uint8)).save(paths[1])
    return paths


@pytest.fixture
def phantom(path, tmp_path):
    config = read_recipe(path)
    image, label = write_phantom(tmp_path, config)
    # A recipe for several channels gets the image for each.
    copies = [tmp_path / f"channel_{n}.nii.gz" for n in range(len(config.get("scales", ())))]
    several = [str(shutil.copy(image, copy)) for copy in copies]
    return config, {"image": several or str(image), "label": str(label), "case": "phantom"}


def steps(config, path, *sections):
    return [step for section in sections for step in build_steps(config, section, path)]


def check_samples(config, path, case):
    """Prepare a case, draw samples and hold them to what training relies on."""
    prepare = Compose(steps(config, path, *SECTIONS[:2]))
    prepared = prepare(case)
    values = set(np.unique(np.asarray(prepared["label"])).tolist())
    assert values > {0}, "the case should have foreground"
    dataset = CaseDataset([case], prepare, Compose(steps(config, path, SECTIONS[2])))
    for number in range(4):
        check_sample(dataset[Draw(0, number)], prepared, tuple(config["patch_size"]), values)


def check_sample(sample, prepared, size, values):
    assert sample["image"].shape == (prepared["image"].shape[0], *size)
    assert sample["image"].dtype == torch.float32
    assert sample["image"].isfinite().all()
    assert sample["label"].shape == (1, *size)
    assert sample["label"].dtype == torch.uint8
    assert set(torch.unique(sample["label"]).tolist()) <= values
    assert "class_voxels" not in sample
    if "weight" in prepared:
        assert sample["weight"].shape == (1, *size)
        assert sample["weight"].isfinite().all()
        assert sample["weight"].min() >= 0


@every_recipe
def test_a_recipe_has_three_sections_and_says_what_it_is_for(path):
    content = yaml.safe_load(path.read_text())
    assert all(isinstance(content[section], list) for section in SECTIONS)
    assert path.read_text().startswith("# ")
    assert {"reader", "patch_size", "centres"} <= content.keys()


@every_recipe
def test_what_stands_behind_an_at_is_a_key_of_the_recipe(path):
    content = yaml.safe_load(path.read_text())
    named = {name for string in strings(content) for name in re.findall(r"[@%](\w+)", string)}
    assert named <= content.keys()


@every_recipe
def test_every_target_is_a_public_name(path):
    for target in targets(yaml.safe_load(path.read_text())):
        module, _, name = target.rpartition(".")
        if module:
            assert name in import_module(module).__all__, target
        else:
            assert name in dir(import_module("monai.transforms")), target


@every_recipe
def test_no_step_is_a_lambda_which_other_processes_could_not_read(path):
    assert not any("lambda" in string for string in strings(yaml.safe_load(path.read_text())))


@every_recipe
def test_samples_of_a_phantom_are_what_training_relies_on(path, phantom):
    config, case = phantom
    check_samples(config, path, case)


@every_recipe
def test_an_image_alone_is_prepared_as_with_its_label(path, phantom):
    config, case = phantom
    with_label = steps(config, path, "preprocessing_steps")
    alone = {**config, "keys": ["image"], "interpolation": config.get("interpolation", [])[:1]}
    without = Compose(steps(alone, path, "preprocessing_steps"))
    image = without({"image": case["image"]})["image"]
    torch.testing.assert_close(image, Compose(with_label)(case)["image"])


def drawn(config, path, case, workers, epochs=2):
    """The samples of some epochs of three draws, as a training gets them."""
    dataset = CaseDataset(
        [case],
        Compose(steps(config, path, *SECTIONS[:2])),
        Compose(steps(config, path, SECTIONS[2])),
        seed=5,
    )
    draws = RandomDraws(1, 3, seed=5)
    loader = DataLoader(
        dataset, batch_size=None, sampler=draws, num_workers=workers, collate_fn=first
    )
    return [sample["image"].clone() for _ in range(epochs) for sample in islice(loader, 3)]


def first(sample):
    return {"image": sample["image"]}


@every_recipe
def test_samples_are_the_same_with_any_number_of_workers_and_differ_from_draw_to_draw(
    path, phantom
):
    config, case = phantom
    alone, one, two = (drawn(config, path, case, workers) for workers in (0, 1, 2))
    assert len(alone) == len(one) == len(two) == 6
    for a, b, c in zip(alone, one, two, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a, c)
    assert all(not torch.equal(a, b) for n, a in enumerate(alone) for b in alone[:n])


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(REAL))
def test_samples_of_a_real_case_are_what_training_relies_on(name, real_data):
    path = REPOSITORY / "transforms" / f"{name}.yaml"
    image, label, *pairs = REAL[name]
    case = {"image": str(real_data / image), "label": str(real_data / label), "case": name}
    check_samples(read_recipe(path, pairs), path, case)
