"""Random changes drawn for each channel anew."""

import numpy as np
import pytest
import torch

from medseg.errors import UsageError
from medseg.transforms import EachChanneld, RandBlurd, RandGaussianNoised


def noise(strength, **more):
    step = RandGaussianNoised("image", [strength, strength], prob=1.0)
    return EachChanneld("image", [step], **more)


def changed(step, image, seed=3):
    step.set_random_state(state=np.random.RandomState(seed))
    return step({"image": image})["image"]


def test_channels_of_equal_values_come_out_different():
    image = torch.rand(1, 8, 8, 8).repeat(2, 1, 1, 1)
    found = changed(noise(0.1), image)
    assert not torch.equal(found[0], found[1])


def test_a_step_may_change_one_channel_and_not_the_other():
    step = EachChanneld("image", [RandBlurd("image", [2.0, 2.0], [1, 1, 1], prob=0.5)])
    image = torch.rand(2, 8, 8, 8)
    seen = {
        tuple(bool((changed(step, image, seed)[c] - image[c]).abs().max() > 1e-3) for c in (0, 1))
        for seed in range(20)
    }
    assert {(True, False), (False, True)} <= seen


def test_strength_is_in_standard_deviations_of_each_channel():
    wide = torch.randn((1, 20, 20, 20), generator=torch.Generator().manual_seed(1))
    image = torch.cat([wide, 1000 * wide + 5])
    found = changed(noise(0.5), image) - image
    assert float(found[0].std()) == pytest.approx(0.5, rel=0.05)
    assert float(found[1].std()) == pytest.approx(500, rel=0.05)
    as_it_is = changed(noise(0.5, unit="image"), image) - image
    assert float(as_it_is[1].std()) == pytest.approx(0.5, rel=0.05)


def test_a_constant_channel_has_no_unit_and_stays_finite():
    assert changed(noise(0.1), torch.full((1, 4, 4, 4), 7.0)).isfinite().all()


def test_the_same_state_gives_the_same_sample_and_the_input_stays():
    image = torch.rand(2, 6, 6, 6)
    before = image.clone()
    assert torch.equal(changed(noise(0.2), image), changed(noise(0.2), image))
    assert torch.equal(image, before)


def test_an_unknown_unit_or_key_is_refused():
    with pytest.raises(UsageError, match="unit"):
        noise(0.1, unit="metre")
    with pytest.raises(UsageError, match="'image' is not in the sample"):
        noise(0.1)({"label": torch.zeros(1, 2, 2)})
