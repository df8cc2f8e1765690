import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data.meta_tensor import MetaTensor

from medseg.errors import UsageError
from medseg.transforms import (
    Centres,
    ClassVoxelsd,
    Elastic,
    Flip,
    RandWarpPatchd,
    Rotation,
    WarpRanges,
    Zoom,
)

WARP = WarpRanges(
    flip=Flip(axes=[0]),
    rotation=Rotation(degrees=20, prob=0.5),
    zoom=Zoom(low=0.8, high=1.2, prob=0.5),
    elastic=Elastic(max_displacement_mm=4, control_spacing_mm=10, prob=0.5),
)


def transform(**changes):
    arguments = {
        "keys": ["image", "label"],
        "patch_size": (8, 9, 10),
        "spacing_mm": (1.0, 1.0, 2.0),
        "modes": ["linear", "nearest"],
        "warp": WARP,
    }
    return RandWarpPatchd(**{**arguments, **changes})


def case(shape=(20, 16, 12)):
    rng = np.random.default_rng(0)
    label = np.zeros((1, *shape), np.uint8)
    label[0, 5:9, 5:9, 5:9] = 1
    image = rng.standard_normal((1, *shape)).astype(np.float16)
    return ClassVoxelsd(keys="label")({"case": "a", "image": image, "label": label})


@given(seed=st.integers(0, 10_000))
def test_the_same_seed_takes_the_same_patch(seed):
    one = transform().set_random_state(seed)(case())
    two = transform().set_random_state(seed)(case())
    assert torch.equal(one["image"], two["image"])
    assert torch.equal(one["label"], two["label"])


def test_two_draws_are_different():
    step = transform().set_random_state(0)
    assert not torch.equal(step(case())["image"], step(case())["image"])


def test_a_patch_has_its_size_and_its_types_and_leaves_the_voxel_lists_behind():
    sample = transform().set_random_state(0)(case())
    assert sample["image"].shape == sample["label"].shape == (1, 8, 9, 10)
    assert (sample["image"].dtype, sample["label"].dtype) == (torch.float32, torch.uint8)
    assert set(sample) == {"case", "image", "label"}


def test_the_case_itself_stays_as_it_was():
    before = case()
    sample = transform(warp=WarpRanges()).set_random_state(0)(before)
    sample["image"].fill_(9)
    np.testing.assert_array_equal(before["image"], case()["image"])
    assert "class_voxels" in before


def test_without_ranges_the_patch_is_a_plain_crop():
    before = case()
    step = transform(warp=None, record_key="warp").set_random_state(0)
    sample = step(before)
    i, j, k = sample["warp"]["start"]
    crop = before["image"][:, i : i + 8, j : j + 9, k : k + 10]
    np.testing.assert_array_equal(sample["image"].numpy(), crop.astype(np.float32))


def test_what_was_drawn_can_be_recorded_as_json():
    sample = transform(record_key="warp").set_random_state(0)(case())
    record = json.loads(json.dumps(sample["warp"]))
    assert set(record) >= {"start", "matrix", "shift_mm", "displacement_mm"}


def test_a_weight_map_travels_along():
    sample = case()
    sample["weight"] = sample["image"].astype(np.float32)
    step = transform(keys=["image", "label", "weight"], modes=["linear", "nearest", "linear"])
    out = step.set_random_state(1)(sample)
    torch.testing.assert_close(out["weight"], out["image"])


def test_tensors_and_meta_tensors_give_plain_tensors():
    sample = case()
    sample["image"] = MetaTensor(torch.as_tensor(sample["image"]).float())
    out = transform().set_random_state(2)(sample)
    expected = transform().set_random_state(2)(case())
    assert type(out["image"]) is torch.Tensor
    assert torch.equal(out["image"], expected["image"])


def test_every_patch_of_a_case_of_foreground_shows_some():
    step = transform(centres=Centres(foreground=1), warp=None).set_random_state(0)
    assert all(step(case())["label"].any() for _ in range(20))


def test_a_sample_without_lists_of_voxels_is_refused_unless_patches_may_lie_anywhere():
    unlisted = {key: value for key, value in case().items() if key != "class_voxels"}
    with pytest.raises(UsageError, match=r"^centres.foreground is 0.5, .* add .*ClassVoxelsd"):
        transform()(unlisted)
    anywhere = transform(centres=Centres(foreground=0))
    assert anywhere(unlisted)["image"].shape == (1, 8, 9, 10)


def test_a_label_of_background_alone_has_lists_and_is_no_refusal():
    empty = {"image": case()["image"], "label": np.zeros((1, 20, 16, 12), np.uint8)}
    out = transform()(ClassVoxelsd("label")(empty))
    assert out["image"].shape == (1, 8, 9, 10)


def test_two_dimensional_images_in_colour():
    rng = np.random.default_rng(0)
    sample = {
        "image": rng.integers(0, 255, (3, 40, 30)).astype(np.uint8),
        "label": rng.integers(0, 2, (1, 40, 30)).astype(np.uint8),
    }
    sample = ClassVoxelsd("label")(sample)
    step = transform(patch_size=(16, 20), spacing_mm=(1, 1))
    out = step.set_random_state(0)(sample)
    assert out["image"].shape == (3, 16, 20)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"patch_size": (8, 9)}, "spacing_mm must be 2 positive numbers, got"),
        ({"patch_size": (8,)}, "patch_size must be 2 or 3 whole numbers from 1"),
        ({"patch_size": (8, 0, 8)}, "patch_size must be 2 or 3 whole numbers from 1"),
        ({"spacing_mm": (1, 1, float("nan"))}, "spacing_mm must be 3 positive numbers"),
        ({"spacing_mm": (1, -1, 1)}, "spacing_mm must be 3 positive numbers"),
        ({"modes": ["linear"]}, "modes must be one a key"),
        ({"modes": ["bilinear", "nearest"]}, "modes must be one of"),
        ({"padding": "wrap"}, "padding must be one of"),
        ({"warp": WarpRanges(flip=Flip(axes=[3]))}, "Flip: axes must be below 3"),
        (
            {"warp": WarpRanges(rotation=Rotation(degrees=[1, 2], prob=0.01))},
            "Rotation: degrees must be one number or 3",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_the_first_patch(changes, says):
    with pytest.raises(ValueError, match=says) as caught:
        transform(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("label"), r"keys \['label'\] are not in the sample"),
        (
            lambda s: s.update(label=s["label"][:, :-1]),
            "keys must have one spatial shape, got .*19, 16, 12",
        ),
        (
            lambda s: s.update(image=s["image"][..., 0], label=s["label"][..., 0]),
            "image has 2 spatial axes and patch_size 3",
        ),
    ],
)
def test_samples_that_do_not_fit_are_refused_in_one_line(change, says):
    sample = case()
    change(sample)
    with pytest.raises(ValueError, match=says) as caught:
        transform()(sample)
    assert "\n" not in str(caught.value)
