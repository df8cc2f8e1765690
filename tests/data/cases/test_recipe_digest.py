"""Digests of recipes: stable between processes and uses, another one for any other setting."""

import functools
import importlib
import json
import os
import re
import subprocess
import sys
import threading

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import (
    Compose,
    CropForegroundd,
    EnsureTyped,
    Lambdad,
    LoadImaged,
    NormalizeIntensityd,
    Orientationd,
    Resized,
    ScaleIntensityRanged,
    ScaleIntensityRangePercentilesd,
    Spacingd,
    SpatialPadd,
)

from medseg.data.cases.recipe_digest import recipe_digest
from medseg.errors import UsageError

KEYS = ["image", "label"]
MODES = ["bilinear", "nearest"]


def recipe(spacing_mm=(2.0, 2.0, 2.0), high_hu=200, interpolation=MODES):
    return Compose(
        [
            LoadImaged(KEYS, reader="NibabelReader", image_only=True, ensure_channel_first=True),
            Orientationd(KEYS, axcodes="RAS", labels=None),
            Spacingd(KEYS, pixdim=spacing_mm, mode=interpolation),
            ScaleIntensityRanged("image", -1000, high_hu, 0.0, 1.0, clip=True),
            CropForegroundd(KEYS, source_key="image"),
            NormalizeIntensityd("image", nonzero=True, channel_wise=True),
            ScaleIntensityRangePercentilesd("image", lower=1, upper=99, b_min=0, b_max=1),
            SpatialPadd(KEYS, spatial_size=(8, 8, 8)),
            Resized(KEYS, spatial_size=(8, 8, 8), mode=["trilinear", "nearest"]),
            EnsureTyped(KEYS),
        ]
    )


def add(image, amount=1):
    return image + amount


def test_the_same_settings_give_the_same_digest():
    assert recipe_digest(recipe()) == recipe_digest(recipe())


@pytest.mark.parametrize(
    "other",
    [
        recipe(spacing_mm=(2.0, 2.0, 2.5)),
        recipe(high_hu=201),
        recipe(interpolation=["nearest", "nearest"]),
        Compose(recipe().transforms[:-1]),
        Compose([*recipe().transforms[:-2], *reversed(recipe().transforms[-2:])]),
    ],
)
def test_any_other_setting_gives_another_digest(other):
    assert recipe_digest(other) != recipe_digest(recipe())


def test_using_and_seeding_a_recipe_leaves_its_digest(tmp_path):
    rng = np.random.default_rng(0)
    nib.save(nib.Nifti1Image(rng.random((9, 9, 9), np.float32), np.eye(4)), tmp_path / "a.nii")
    used = recipe()
    used({"image": tmp_path / "a.nii", "label": tmp_path / "a.nii"})
    used.set_random_state(3)
    assert recipe_digest(used) == recipe_digest(recipe())


STEPS = """
import functools
from medseg.data.cases.recipe_digest import recipe_digest

class Step:
    def __init__(self):
        self.keys = {"image", "label", "weight"}
        self.by_class = {1: 0.5, "b": functools.partial(len)}

def told():
    return recipe_digest([Step(), Step, lambda image: {"a", "b"} & image])
"""


def test_another_process_finds_the_same_digest(tmp_path, monkeypatch):
    (tmp_path / "steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(tmp_path)
    told = [
        subprocess.run(
            [sys.executable, "-c", "import steps; print(steps.told())"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert told == [importlib.import_module("steps").told()] * 2


settings = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    max_leaves=5,
)


@given(one=settings, other=settings)
def test_settings_have_one_digest_if_and_only_if_they_are_equal(one, other):
    # As JSON, since to Python 1 and 1.0 and True are equal.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (recipe_digest(one) == recipe_digest(other)) == same


def test_functions_are_told_apart_by_what_they_do():
    amount = 2
    functions = [
        add,
        lambda image: image + 1,
        lambda image: image + 2,
        lambda image: image - 2,
        lambda image, amount=3: image + amount,
        lambda image: image + amount,
        functools.partial(add, amount=1),
        functools.partial(add, amount=2),
        np.sqrt,
        torch.sqrt,
        "a".join,
        len,
        sys,
        recipe().transforms[0].__call__,
    ]
    digests = {recipe_digest(Lambdad("image", func=function)) for function in functions}
    assert len(digests) == len(functions)
    assert recipe_digest(functions) == recipe_digest(list(functions))


def test_arrays_sets_and_library_values_count_by_their_content():
    values = [
        np.zeros(2),
        np.zeros(2, np.float32),
        np.zeros((2, 1)),
        torch.ones(2),
        {"a", "b"},
        {"a", "c"},
        torch.float16,
        torch.float32,
        np.dtype("f4"),
        torch.device("cpu"),
        re.compile("a"),
        re.compile("b"),
        slice(1),
        1j,
        b"a",
    ]
    assert len({recipe_digest(value) for value in values}) == len(values)
    assert recipe_digest(np.zeros(2)) == recipe_digest(np.zeros(4)[::2])


def test_random_states_do_not_count():
    class Noisy:
        def __init__(self, seed):
            self.chance = np.random.default_rng(seed)
            self.torch = torch.Generator().manual_seed(seed)

    assert recipe_digest(Noisy(1)) == recipe_digest(Noisy(2))


def test_a_class_that_is_worked_on_counts_by_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    digests = set()
    for number in range(2):
        (tmp_path / "worked_on.py").write_text(f"class Step:\n    def __call__(s): {number}\n")
        monkeypatch.delitem(sys.modules, "worked_on", raising=False)
        digests.add(recipe_digest(importlib.import_module("worked_on").Step()))
    assert len(digests) == 2


@pytest.mark.parametrize("part", [threading.Lock(), (number for number in range(3))])
def test_what_cannot_be_described_is_named(part):
    with pytest.raises(UsageError, match=r"^a disk cache cannot tell recipes with a \S+ from"):
        recipe_digest(Compose([Lambdad("image", func=functools.partial(add, amount=part))]))


def test_a_recipe_that_contains_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(UsageError, match="contains itself"):
        recipe_digest(loop)
