"""A recipe on its own: found, read, changed and built, or refused in one line."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from medseg.bundles import build_steps, carry_along, find_recipe, read_recipe
from medseg.errors import UsageError

TOY = {
    "patch_size": [4, 4],
    "keys": ["image", "label"],
    "preprocessing_steps": [
        {"_target_": "EnsureTyped", "keys": "@keys"},
        {"_target_": "ScaleIntensityd", "keys": "image", "_disabled_": True},
    ],
    "label_steps": [],
    "augmentation_steps": [
        {
            "_target_": "medseg.transforms.RandWarpPatchd",
            "keys": "@keys",
            "patch_size": "@patch_size",
            "spacing_mm": [1, 1],
            "modes": ["linear", "nearest"],
        },
        {"_target_": "RandGaussianNoised", "keys": "image", "std": 0.1},
    ],
}


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Writes a recipe to ./transforms; gives its path."""
    monkeypatch.chdir(tmp_path)
    Path("transforms").mkdir()

    def write(content, name="toy"):
        path = Path("transforms") / f"{name}.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return write


def names(steps):
    return [type(step).__name__ for step in steps]


def test_a_bare_name_is_looked_up_in_transforms_and_a_path_is_taken_as_it_is(recipe):
    path = recipe(TOY)
    assert find_recipe("toy") == path
    assert find_recipe(path) == path
    assert find_recipe(str(path.absolute())) == path.absolute()


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("ct_chst", "transforms/ct_chst.yaml: no such recipe; there is ct_chest"),
        ("fundus", "transforms/fundus.yaml: no such recipe; there is ct_body, ct_chest"),
        ("elsewhere/a.yaml", "elsewhere/a.yaml: no such recipe; give the path of a YAML"),
    ],
)
def test_a_recipe_that_is_not_there_is_refused_with_those_that_are(recipe, wanted, told):
    recipe(TOY)
    recipe(TOY, "ct_chest")
    with pytest.raises(UsageError, match=f"^{re.escape(told)}"):
        find_recipe(wanted)


def test_steps_are_built_section_by_section_without_those_that_are_disabled(recipe):
    path = recipe(TOY)
    config = read_recipe(path)
    assert names(build_steps(config, "preprocessing_steps", path)) == ["EnsureTyped"]
    assert build_steps(config, "label_steps", path) == []
    assert names(build_steps(config, "augmentation_steps", path)) == [
        "RandWarpPatchd",
        "RandGaussianNoised",
    ]


def test_pairs_change_keys_and_what_lies_in_them(recipe):
    path = recipe(TOY)
    config = read_recipe(path, ["patch_size=[2, 3]", "augmentation_steps#1#std=0.5"])
    warp, noise = build_steps(config, "augmentation_steps", path)
    assert warp.patch_size == (2, 3)
    assert noise.rand_gaussian_noise.std == 0.5


def test_one_more_volume_is_warped_with_the_others_and_the_warp_is_written_down(recipe):
    path = recipe(TOY)
    config = read_recipe(path)
    carried = carry_along(config, "extra", "linear", "record")
    assert config == read_recipe(path), "the recipe itself must not change"
    ramp = torch.arange(64.0).reshape(1, 8, 8)
    sample = {"image": ramp, "label": torch.zeros(1, 8, 8, dtype=torch.uint8), "extra": 2 * ramp}
    sample["class_voxels"] = {}
    warp = build_steps(carried, "augmentation_steps", path)[0]
    done = warp(sample)
    torch.testing.assert_close(done["extra"], 2 * done["image"])
    i, j = done["record"]["start"]
    np.testing.assert_array_equal(done["image"], ramp[:, i : i + 4, j : j + 4])


@pytest.mark.parametrize("keys", [["image", "label"], "@keys", "$@keys"])
def test_keys_may_be_listed_or_referred_to(recipe, keys):
    steps = [{**TOY["augmentation_steps"][0], "keys": keys}]
    path = recipe({**TOY, "augmentation_steps": steps})
    carried = carry_along(read_recipe(path), "extra", "linear", "record")
    (warp,) = build_steps(carried, "augmentation_steps", path)
    assert warp.keys == ("image", "label", "extra")


def test_a_recipe_without_a_warp_is_carried_along_unchanged(recipe):
    path = recipe({**TOY, "augmentation_steps": TOY["augmentation_steps"][1:]})
    config = read_recipe(path)
    assert carry_along(config, "extra", "linear", "record") == config


def changed(**keys):
    return {**TOY, **keys}


def build_all(path):
    config = read_recipe(path)
    for section in ("preprocessing_steps", "label_steps", "augmentation_steps"):
        build_steps(config, section, path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- a\n- b\n", "holds a list; a config is a YAML file of keys and values"),
        ("", "is empty; a config is a YAML file of keys and values"),
        ("a: [1,", "not valid YAML"),
        (changed(label_steps=None), "no list of label_steps; write [] if there are none"),
        (changed(label_steps=["RandFlipd"]), "label_steps, step 1 is not a transform: 'RandFlipd'"),
        (changed(label_steps=[{"_target_": "Nonsensed"}]), "'Nonsensed'"),
        (changed(label_steps=[{"_target_": "medseg.transforms.Nonsense"}]), "Nonsense"),
        (
            changed(label_steps=[{"_target_": "EnsureTyped", "keys": "@nowhere"}]),
            "no such key in this config: @nowhere",
        ),
        (changed(label_steps=[{"_target_": "EnsureTyped", "keys": "%nowhere"}]), "nowhere"),
        (
            changed(label_steps=[{"_target_": "EnsureTyped", "kys": "image"}]),
            "EnsureTyped has no argument kys",
        ),
        (changed(label_steps=[{"_target_": "EnsureTyped", "keys": "$1/0"}]), "division by zero"),
        (
            changed(patch_size=[0, 4]),
            "patch_size must be 2 or 3 whole numbers from 1, got [0, 4]",
        ),
    ],
)
def test_a_recipe_that_cannot_be_used_is_one_line_that_names_it(recipe, content, told):
    path = recipe(content)
    with pytest.raises(UsageError) as refused:
        build_all(path)
    (line,) = str(refused.value).splitlines()
    assert str(path) in line
    assert told in line


def test_a_pair_that_names_no_key_is_refused_with_the_nearest(recipe):
    with pytest.raises(UsageError, match=r"patchsize: no such key .* did you mean patch_size"):
        read_recipe(recipe(TOY), ["patchsize=[2, 2]"])
