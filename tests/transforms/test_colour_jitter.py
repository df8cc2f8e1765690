import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from medseg.errors import DataError, UsageError
from medseg.transforms import ColourChange, RandColourJitterd, change_colours
from tests.strategies import seeds

LUMA = torch.tensor([0.299, 0.587, 0.114])
factors = st.floats(0.5, 1.5)


def an_image(seed=0, low=0.0, high=1.0, shape=(12, 9)):
    rng = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(3, *shape, generator=rng)


def luma(image):
    return torch.einsum("c,cij->ij", LUMA, image)


@given(seed=seeds, factor=factors, what=st.sampled_from(["Brightness", "Contrast", "Color"]))
def test_each_factor_is_pillows(seed, factor, what):
    levels = (an_image(seed) * 255).round()
    picture = Image.fromarray(levels.permute(1, 2, 0).numpy().astype(np.uint8))
    expected = np.asarray(getattr(ImageEnhance, what)(picture).enhance(factor), np.float32)
    name = {"Brightness": "brightness", "Contrast": "contrast", "Color": "saturation"}[what]
    found = change_colours(levels / 255, ColourChange(**{name: factor})) * 255
    # Pillow rounds grey values and the mean before it goes on.
    np.testing.assert_allclose(found.permute(1, 2, 0).numpy(), expected, atol=2)


def test_the_default_colour_change_is_the_identity():
    image = an_image()
    torch.testing.assert_close(change_colours(image, ColourChange()), image, atol=1e-5, rtol=0)


@given(seed=seeds, degrees=st.floats(-180, 180), saturation=st.floats(0, 1.2))
def test_hue_and_saturation_leave_luma_and_greys_alone(seed, degrees, saturation):
    # Colours near grey, so that none is cut off.
    image = an_image(seed, 0.45, 0.55)
    change = ColourChange(hue_degrees=degrees, saturation=saturation)
    torch.testing.assert_close(luma(change_colours(image, change)), luma(image), atol=1e-4, rtol=0)
    grey = an_image(seed)[:1].expand(3, -1, -1).contiguous()
    torch.testing.assert_close(change_colours(grey, change), grey, atol=1e-4, rtol=0)


@given(seed=seeds, first=st.floats(-90, 90), second=st.floats(-90, 90))
def test_turns_of_hue_add_up(seed, first, second):
    image = an_image(seed, 0.45, 0.55)
    turned = change_colours(image, ColourChange(hue_degrees=first))
    twice = change_colours(turned, ColourChange(hue_degrees=second))
    once = change_colours(image, ColourChange(hue_degrees=first + second))
    torch.testing.assert_close(twice, once, atol=1e-4, rtol=0)


def test_a_turn_by_180_degrees_is_the_complement():
    red = torch.tensor([0.6, 0.5, 0.5])[:, None, None]
    turned = change_colours(red, ColourChange(hue_degrees=180))[:, 0, 0]
    # Luma 0.5299; each channel as far from it on the other side: 0.5299 - 0.0701, + 0.0299
    torch.testing.assert_close(turned, torch.tensor([0.4598, 0.5598, 0.5598]), atol=1e-4, rtol=0)


@given(seed=seeds)
def test_the_result_is_a_colour(seed):
    step = RandColourJitterd(
        "image", hue_degrees=180, brightness_range=[0.2, 3], contrast_range=[0, 3], prob=1
    )
    changed = step.set_random_state(seed)({"image": an_image(seed)})["image"]
    assert changed.min() >= 0
    assert changed.max() <= 1


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (torch.rand(1, 4, 4), "3 channels, red, green and blue, got 1"),
        (255 * torch.ones(3, 4, 4), r"colours in \[0, 1\], got \[255, 255\]; scale it first"),
        (torch.full((3, 4, 4), float("nan")), r"colours in \[0, 1\]"),
    ],
)
def test_what_is_no_colour_image_is_refused(image, says):
    with pytest.raises(DataError, match=says):
        RandColourJitterd("image", prob=1)({"image": image})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"hue_degrees": 200}, r"hue_degrees must be in \[0, 180\], got 200"),
        ({"hue_degrees": float("nan")}, "hue_degrees must be"),
        ({"saturation_range": [-1, 1]}, "saturation_range must be"),
        ({"contrast_range": [2, 1]}, "contrast_range must be"),
        ({"brightness_range": 0.2}, "brightness_range must be"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        RandColourJitterd("image", **arguments)
