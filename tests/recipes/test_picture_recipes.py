"""The recipes for pictures, on drawn cells and glands and on real ones where they are at hand."""

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose
from PIL import Image

from medseg.data import datalist, load_manifest
from tests.conftest import REPOSITORY

PATCH = (48, 40)
RECIPES = ["microscopy_dic", "histology_he"]
REAL = {
    "microscopy_dic": ("dic_c2dh_hela", "microscopy/dic-c2dh-hela"),
    "histology_he": ("ebhi_seg", "histology/ebhi-seg"),
}


def steps(recipe, *sections, **changes):
    parser = ConfigParser()
    parser.read_config(str(REPOSITORY / "transforms" / f"{recipe}.yaml"))
    parser.update({"patch_size": list(PATCH), **changes})
    return Compose([step for name in sections for step in parser.get_parsed_content(name)])


def prepare(recipe, case):
    return steps(recipe, "preprocessing_steps", "label_steps")(case)


def a_picture(folder, recipe):
    """Twelve discs that touch their neighbours in rows, numbered, or drawn as a mask."""
    rows, columns = np.indices((90, 70))
    cells = np.zeros((90, 70), np.uint16)
    for number in range(12):
        centre = 15 + 20 * (number // 3), 15 + 20 * (number % 3)
        cells[(rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 110] = number + 1
    noise = np.random.default_rng(0).integers(0, 60, (90, 70, 3))
    colours = (noise + 90 * (cells[..., None] > 0) + [60, 20, 80]).astype(np.uint8)
    if recipe == "microscopy_dic":
        files = {"image": colours[..., 0], "label": cells}
    else:
        files = {"image": colours, "label": (200 * (cells > 0) + 30).astype(np.uint8)}
    for key, array in files.items():
        Image.fromarray(array).save(folder / f"{key}.png")
    return {"case": "a", **{key: str(folder / f"{key}.png") for key in files}}


@pytest.fixture(params=RECIPES)
def drawn(request, tmp_path):
    return request.param, a_picture(tmp_path, request.param)


def test_preprocessing_leaves_an_image_and_two_classes_on_one_grid(drawn):
    recipe, case = drawn
    prepared = prepare(recipe, case)
    channels = {"microscopy_dic": 1, "histology_he": 3}[recipe]
    assert prepared["image"].shape == (channels, 90, 70)
    assert prepared["image"].dtype == torch.float32
    assert prepared["label"].shape == (1, 90, 70)
    assert prepared["label"].dtype == torch.uint8
    assert set(prepared["label"].unique().tolist()) == {0, 1}
    assert list(prepared["class_voxels"]) == [1]


def test_prediction_has_no_label_and_the_same_image(drawn):
    recipe, case = drawn
    alone = steps(recipe, "preprocessing_steps")({"image": case["image"]})
    assert set(alone) == {"image"}
    assert torch.equal(alone["image"], prepare(recipe, case)["image"])


def augment(recipe, prepared, seed):
    augmentation = steps(recipe, "augmentation_steps")
    augmentation.set_random_state(seed)
    return augmentation(dict(prepared))


def test_a_sample_has_the_patchs_shape_and_no_new_class(drawn):
    recipe, case = drawn
    prepared = prepare(recipe, case)
    for seed in range(8):
        sample = augment(recipe, prepared, seed)
        assert "class_voxels" not in sample
        assert sample["image"].shape[1:] == sample["label"].shape[1:] == PATCH
        assert sample["image"].isfinite().all()
        assert set(sample["label"].unique().tolist()) <= {0, 1}
        if "weight" in sample:
            assert sample["weight"].shape == sample["label"].shape
            assert sample["weight"].min() > 0


def test_the_same_seed_gives_the_same_sample_and_another_another(drawn):
    recipe, case = drawn
    prepared = prepare(recipe, case)
    one, same, other = (augment(recipe, prepared, seed) for seed in (3, 3, 4))
    assert torch.equal(one["image"], same["image"])
    assert torch.equal(one["label"], same["label"])
    assert not torch.equal(one["image"], other["image"])


def test_the_prepared_case_is_left_as_it_was(drawn):
    recipe, case = drawn
    prepared = prepare(recipe, case)
    before = {key: prepared[key].clone() for key in ("image", "label")}
    for seed in range(5):
        augment(recipe, prepared, seed)
    assert all(torch.equal(prepared[key], value) for key, value in before.items())


def test_gaps_between_cells_weigh_most(tmp_path):
    prepared = prepare("microscopy_dic", a_picture(tmp_path, "microscopy_dic"))
    label, weight = prepared["label"][0], prepared["weight"][0]
    # Discs 0 and 1 touch half-way between their centres, in row 15 and column 25.
    assert label[15, 24:27].min() == 0
    assert label[15, 22] == label[15, 28] == 1
    assert weight[15, 24:27].max() > 9 > weight[label == 1].max()


def test_stained_tissue_stays_within_black_and_white(tmp_path):
    prepared = prepare("histology_he", a_picture(tmp_path, "histology_he"))
    for seed in range(20):
        image = augment("histology_he", prepared, seed)["image"]
        assert 0 <= image.min() <= image.max() <= 1


@pytest.mark.data
@pytest.mark.parametrize("recipe", RECIPES)
def test_real_pictures_go_through(real_data, recipe):
    name, folder = REAL[recipe]
    manifest = load_manifest(REPOSITORY / "data_manifests" / f"{name}.json")
    for case in datalist(manifest, real_data / folder, split="validation")[::8]:
        prepared = prepare(recipe, case)
        assert prepared["label"].unique().tolist() == [0, 1]
        sample = augment(recipe, prepared, 0)
        assert sample["image"].shape[1:] == sample["label"].shape[1:] == PATCH
