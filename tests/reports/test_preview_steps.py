"""Running a recipe's steps one by one: their effect, their price, their failures."""

import numpy as np
import pytest
import torch
from monai.transforms.compose import Compose
from monai.transforms.croppad.dictionary import RandSpatialCropSamplesd
from monai.transforms.intensity.dictionary import RandGaussianNoised, ScaleIntensityRanged
from monai.transforms.transform import Randomizable

from medseg.data import CaseDataset
from medseg.data.cases.draws import Draw
from medseg.errors import DataError, UsageError
from medseg.reports.preview_steps import StepTimes, seeded, time_draws, time_once, trace

NOISE = RandGaussianNoised(keys="image", prob=0.5, std=1.0)


def case():
    return {"image": torch.linspace(0, 1, 16).reshape(1, 4, 4), "label": torch.zeros(1, 4, 4)}


def test_only_steps_that_changed_the_image_are_named():
    clip = ScaleIntensityRanged(keys="image", a_min=0, a_max=1, b_min=0, b_max=1, clip=True)
    double = ScaleIntensityRanged(keys="image", a_min=0, a_max=1, b_min=0, b_max=2)
    sample, changed = trace(case(), [clip, double])
    assert changed == ["ScaleIntensityRanged"]
    torch.testing.assert_close(sample["image"], 2 * case()["image"])


def test_a_step_that_writes_into_the_image_is_seen():
    def brighten(sample):
        sample["image"] += 1
        return sample

    assert trace(case(), [brighten])[1] == ["function"]


def test_a_draw_is_the_same_however_often_it_is_made_and_differs_from_the_next():
    drawn = [trace(case(), seeded([NOISE], 7, number))[0]["image"] for number in (0, 1, 2, 0, 1, 2)]
    assert all(torch.equal(a, b) for a, b in zip(drawn[:3], drawn[3:], strict=True))
    assert not all(torch.equal(drawn[0], other) for other in drawn[1:3])


class Offset(Randomizable):
    """The least that draws, and takes a case as the data set keeps it."""

    def __call__(self, sample):
        image = np.asarray(sample["image"][...], np.float32)
        return {**sample, "image": image + np.float32(self.R.normal())}


def test_a_draw_has_the_random_numbers_of_a_training():
    steps = [Offset(), Offset()]
    cases = [{"case": "one", **{key: image.numpy() for key, image in case().items()}}]
    training = CaseDataset(cases, dict, Compose(steps), seed=3)
    prepared = CaseDataset(cases, dict)[0]
    expected = training[Draw(0, 11)]["image"]
    found = trace(prepared, seeded(steps, 3, 11))[0]["image"]
    np.testing.assert_allclose(found, expected)
    assert not np.allclose(found, prepared["image"])


def test_of_a_step_that_gives_several_samples_the_first_goes_on():
    crops = RandSpatialCropSamplesd(["image", "label"], roi_size=[2, 2], num_samples=3)
    sample, _ = trace(case(), [crops, NOISE])
    assert sample["image"].shape == (1, 2, 2)


def test_every_draw_of_every_step_is_timed_and_the_total_comes_last():
    times = time_draws(case(), [NOISE, NOISE], seed=0, draws=4)
    assert [one.step for one in times] == ["RandGaussianNoised", "RandGaussianNoised", "total"]
    assert [len(one.ms) for one in times] == [4, 4, 4]
    assert times[2].ms == pytest.approx(np.add(times[0].ms, times[1].ms))


def test_a_step_that_is_seldom_drawn_has_a_mean_far_from_its_median():
    assert StepTimes("step", (1.0, 1.0, 7.0)).summary() == {
        "median_ms": 1.0,
        "mean_ms": 3.0,
        "longest_ms": 7.0,
    }


def test_a_step_that_fails_is_named_with_the_reason():
    def fail(sample):
        raise RuntimeError("outer\nwith more") from ValueError("no such axis\nsecond line")

    with pytest.raises(DataError, match=r"^function failed \(no such axis\)$"):
        time_once(case(), [fail])


def test_an_error_that_is_clear_already_is_left_as_it_is():
    def refuse(sample):
        raise UsageError("take another patch_size")

    with pytest.raises(UsageError, match=r"^take another patch_size$"):
        time_once(case(), [refuse])
