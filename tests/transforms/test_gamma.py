import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import AdjustContrast

from medseg.errors import UsageError
from medseg.transforms import RandGammad, adjust_gamma
from tests.strategies import seeds, spatial_shapes

gammas = st.floats(0.3, 3)
ends = st.sampled_from(["dark", "bright"])


def an_image(shape, seed=0, channels=1):
    return 50 * torch.randn(channels, *shape, generator=torch.Generator().manual_seed(seed))


def test_the_middle_of_the_range_by_hand():
    image = torch.tensor([[[0.0, 4.0], [12.0, 16.0]]])
    # (1/4)^2 * 16 = 1, (3/4)^2 * 16 = 9; upside down 16 - 9 = 7, 16 - 1 = 15
    assert adjust_gamma(image, 2, end="dark").tolist() == [[[0, 1], [9, 16]]]
    assert adjust_gamma(image, 2, end="bright").tolist() == [[[0, 7], [15, 16]]]


@given(shape=spatial_shapes, seed=seeds, gamma=gammas, end=ends)
def test_the_range_and_the_order_stay(shape, seed, gamma, end):
    image = an_image(shape, seed)
    changed = adjust_gamma(image, gamma, end=end)
    torch.testing.assert_close(changed.aminmax(), image.aminmax(), atol=1e-4, rtol=1e-5)
    order = image.flatten().argsort()
    assert (changed.flatten()[order].diff() >= -1e-4).all()


@given(shape=spatial_shapes, seed=seeds, gamma=gammas, end=ends)
def test_the_inverse_power_undoes_it(shape, seed, gamma, end):
    image = an_image(shape, seed)
    back = adjust_gamma(adjust_gamma(image, gamma, end=end), 1 / gamma, end=end)
    torch.testing.assert_close(back, image, atol=0.5, rtol=0)


@given(seed=seeds, gamma=gammas, inverted=st.booleans(), retain=st.booleans())
def test_it_is_monais_and_nnunets(seed, gamma, inverted, retain):
    image = an_image((9, 8, 7), seed)
    monai = AdjustContrast(gamma, invert_image=inverted, retain_stats=retain)
    step = RandGammad(
        "image",
        [gamma, gamma],
        prob=1,
        inverted="always" if inverted else "never",
        keep="mean and std" if retain else "range",
    )
    expected = monai(image).as_tensor()
    torch.testing.assert_close(step({"image": image})["image"], expected, atol=0.02, rtol=1e-3)


@given(seed=seeds, gamma=gammas)
def test_mean_and_standard_deviation_are_kept_on_request(seed, gamma):
    # Hounsfield-like: a mean far from 0 must not cost digits.
    image = an_image((9, 8, 7), seed) - 1000
    step = RandGammad("image", [gamma, gamma], prob=1, keep="mean and std")
    changed = step({"image": image})["image"]
    np.testing.assert_allclose(changed.mean(), image.mean(), atol=0.05)
    np.testing.assert_allclose(changed.std(), image.std(), rtol=1e-3)


@pytest.mark.parametrize("keep", ["range", "mean and std"])
def test_a_constant_image_stays_as_it_is(keep):
    image = torch.full((1, 4, 4), -3.5)
    step = RandGammad("image", prob=1, inverted="half", keep=keep).set_random_state(0)
    for _ in range(5):
        torch.testing.assert_close(step({"image": image})["image"], image)


def test_half_of_the_patches_are_inverted():
    step = RandGammad("image", [2, 2], prob=1, inverted="half").set_random_state(0)
    image = torch.tensor([[[0.0, 4.0], [12.0, 16.0]]])
    found = [step({"image": image})["image"][0, 0, 1].item() for _ in range(400)]
    assert set(found) == {1.0, 7.0}
    assert found.count(7.0) == pytest.approx(200, abs=50)


def test_channels_apart_have_powers_and_ranges_of_their_own():
    image = torch.cat([an_image((8, 8)), 1000 + an_image((8, 8), seed=1)])
    apart = RandGammad("image", [0.5, 2], prob=1, channels="apart").set_random_state(0)
    changed = apart({"image": image})["image"]
    shares = [(c - c.min()) / (c.max() - c.min()) for c in (image[0], image[1])]
    powers = [
        float(
            ((c - c.min()) / (c.max() - c.min())).clamp(1e-3).log().mean()
            / s.clamp(1e-3).log().mean()
        )
        for c, s in zip(changed, shares, strict=True)
    ]
    assert powers[0] != pytest.approx(powers[1], abs=0.05)
    together = RandGammad("image", [2, 2], prob=1)({"image": image})["image"]
    torch.testing.assert_close(together, adjust_gamma(image, 2, end="dark"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"gamma_range": [0, 1]}, "gamma_range must be"),
        ({"gamma_range": 1.5}, "gamma_range must be two numbers"),
        ({"inverted": True}, "inverted must be one of never, half, always, got True"),
        ({"keep": "mean"}, "keep must be one of range, mean and std, got 'mean'"),
        ({"channels": "each"}, "channels must be one of together, apart"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        RandGammad("image", **arguments)
