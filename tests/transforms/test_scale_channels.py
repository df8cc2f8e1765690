"""Each channel in its own scale."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import DataError, UsageError
from medseg.transforms import (
    ClipPercentilesd,
    ScaleChannelsd,
    WindowScale,
    ZScored,
    ZScoreScale,
    scale_settings,
)
from medseg.transforms.channel_scale import read_scale

CT, MR = WindowScale(low=-160, high=240), ZScoreScale(clip=[0.0, 99.5], over="nonzero")


def scaled(image, *scales):
    return ScaleChannelsd("image", list(scales))({"image": image})["image"]


def test_a_window_becomes_zero_to_one_and_is_clipped():
    # (40 + 160) / 400 = 0.5
    image = torch.tensor([[[-1000.0, -160, 40, 240, 3000]]])
    assert scaled(image, CT).flatten().tolist() == [0, 0, 0.5, 1, 1]


@given(seed=st.integers(0, 99))
def test_a_z_score_is_that_of_the_two_steps_for_images_of_one_channel(seed):
    image = torch.randn((1, 6, 7, 5), generator=torch.Generator().manual_seed(seed)) * 30 + 90
    image[:, :2] = 0
    steps = [ClipPercentilesd("image", [0.0, 99.5], "nonzero"), ZScored("image", "nonzero")]
    expected = {"image": image}
    for step in steps:
        expected = step(expected)
    assert torch.equal(scaled(image, MR), expected["image"])


def test_each_channel_is_scaled_without_the_others():
    image = torch.stack([torch.arange(24.0).reshape(2, 3, 4), torch.rand(2, 3, 4)])
    both = scaled(image, CT, MR)
    assert torch.equal(both[:1], scaled(image[:1], CT))
    assert torch.equal(both[1:], scaled(image[1:], MR))


def test_another_number_of_channels_is_refused():
    with pytest.raises(DataError, match="an image has 1 channels, and scales has 2"):
        scaled(torch.zeros(1, 2, 2), CT, MR)


def test_scales_are_written_as_plain_values_and_read_again():
    plain = scale_settings([CT, MR])
    assert plain == [
        {"scale": "window", "low": -160.0, "high": 240.0},
        {"scale": "z-score", "clip": [0.0, 99.5], "over": "nonzero"},
    ]
    assert [read_scale(one) for one in plain] == [CT, MR]
    assert scale_settings(plain) == plain


@pytest.mark.parametrize(
    "wrong", [5, {"scale": "other"}, {"scale": "window", "low": 0}, {"_target_": "os.system"}]
)
def test_what_is_no_scale_is_refused(wrong):
    with pytest.raises(UsageError, match="scales"):
        ScaleChannelsd("image", [wrong])


@pytest.mark.parametrize("ends", [(1, 1), (2, 1), (float("nan"), 1), (0, float("inf")), ("a", 1)])
def test_a_window_has_to_rise(ends):
    with pytest.raises(UsageError, match="low must be below high"):
        WindowScale(low=ends[0], high=ends[1])


def test_an_unknown_word_or_no_scale_is_refused():
    with pytest.raises(UsageError, match="over"):
        ZScoreScale(over="some")
    with pytest.raises(UsageError, match="must list at least one"):
        ScaleChannelsd("image", [])
