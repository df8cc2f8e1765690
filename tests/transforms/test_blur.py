import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from medseg.errors import UsageError
from medseg.transforms import RandBlurd, gaussian_blur
from tests.strategies import seeds

shapes = st.integers(2, 3).flatmap(lambda axes: st.tuples(*[st.integers(1, 12)] * axes))


def an_image(shape, seed, channels=2):
    return torch.randn(channels, *shape, generator=torch.Generator().manual_seed(seed))


@given(shape=shapes, seed=seeds, data=st.data())
def test_it_is_scipys_gaussian_filter(shape, seed, data):
    # Widths up to several times the image, so that it is reflected more than once.
    sigmas = data.draw(st.tuples(*[st.floats(0, 6)] * len(shape)))
    image = an_image(shape, seed)
    expected = np.stack([gaussian_filter(c, sigmas) for c in image.double().numpy()])
    np.testing.assert_allclose(gaussian_blur(image, sigmas).numpy(), expected, atol=2e-6)


@given(shape=shapes, seed=seeds, sigma=st.floats(0, 4))
def test_the_mean_stays(shape, seed, sigma):
    image = an_image(shape, seed)
    blurred = gaussian_blur(image, [sigma] * len(shape))
    torch.testing.assert_close(blurred.mean(), image.mean(), atol=1e-5, rtol=1e-4)


def test_a_millimetre_is_fewer_voxels_along_a_thick_slice():
    image = torch.zeros(1, 21, 21, 21)
    image[0, 10, 10, 10] = 1
    found = RandBlurd("image", [2, 2], [1, 1, 4], prob=1)({"image": image})["image"]
    np.testing.assert_allclose(found[0], gaussian_filter(image[0].numpy(), (2, 2, 0.5)), atol=1e-6)


def test_widths_are_drawn_together_or_one_an_axis():
    image = torch.zeros(1, 41, 41)
    image[0, 20, 20] = 1

    def widths(sigma_mm_range):
        step = RandBlurd("image", sigma_mm_range, [1, 1], prob=1).set_random_state(0)
        along = torch.arange(-20, 21).float()
        blurred = step({"image": image})["image"][0]
        return [float((blurred.sum(1 - axis) @ along**2).sqrt()) for axis in (0, 1)]

    first, second = widths([1, 3])
    assert first == pytest.approx(second)
    assert 1 <= first <= 3
    first, second = widths([[1, 1], [3, 3]])
    assert first == pytest.approx(1, abs=0.02)
    assert second == pytest.approx(3, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([-1, 1], [1, 1]), "sigma_mm_range must be .* at least 0"),
        (([2, 1], [1, 1]), "sigma_mm_range must be .* rising"),
        (([], [1, 1]), "sigma_mm_range must be"),
        (([[0, 1]], [1, 1]), "sigma_mm_range must be one .* or 2, one an axis, got 1"),
        (([0, 1], [1, 0]), "spacing_mm must be 2 or 3 positive numbers"),
        (([0, 1], [1]), "spacing_mm must be 2 or 3 positive numbers"),
        (([0, 1], [1, 1, float("nan")]), "spacing_mm must be 2 or 3 positive numbers"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        RandBlurd("image", *arguments)


def test_a_spacing_for_other_axes_is_refused():
    with pytest.raises(UsageError, match="spacing_mm must have a number for each of 3 axes, got 2"):
        RandBlurd("image", [1, 1], [1, 1], prob=1)({"image": torch.rand(1, 4, 4, 4)})
