from math import pi, sqrt

import numpy as np
import pytest
import torch
from scipy.stats import kstest, rice

from medseg.errors import UsageError
from medseg.transforms import RandRicianNoised, add_rician_noise


def noisy(signal, std, seed=0):
    return add_rician_noise(signal, std, torch.Generator().manual_seed(seed))


def test_zero_signal_has_the_mean_and_sd_of_a_rayleigh_distribution():
    found = noisy(torch.zeros(1, 60, 60, 60), 0.3)
    assert float(found.mean()) == pytest.approx(0.3 * sqrt(pi / 2), rel=0.01)
    assert float(found.std()) == pytest.approx(0.3 * sqrt(2 - pi / 2), rel=0.01)
    assert found.min() >= 0


@pytest.mark.parametrize("signal", [0.1, 0.5, 3.0])
def test_it_is_rices_distribution(signal):
    found = noisy(torch.full((1, 30, 30, 30), signal), 0.4).flatten().double().numpy()
    assert kstest(found, rice(b=signal / 0.4, scale=0.4).cdf).pvalue > 0.01


def test_strong_signal_has_gaussian_noise():
    found = noisy(torch.full((1, 60, 60, 60), 100.0), 0.5)
    assert float(found.mean()) == pytest.approx(100, abs=0.01)
    assert float(found.std()) == pytest.approx(0.5, rel=0.01)


def test_no_strength_leaves_the_magnitude():
    signal = torch.rand(2, 5, 5)
    torch.testing.assert_close(noisy(signal, 0.0), signal)


def test_a_z_score_has_noise_as_its_image_has():
    # The map x -> (x - 40) / 20 and its inverse around the noise change nothing but its unit.
    image = torch.rand(1, 20, 20, 20) * 100
    image[0, 0, 0, 0] = 0
    plain = RandRicianNoised("image", [5, 5], prob=1, no_signal=0.0).set_random_state(1)
    shifted = RandRicianNoised("image", [0.25, 0.25], prob=1).set_random_state(1)
    expected = (plain({"image": image})["image"] - 40) / 20
    found = shifted({"image": (image - 40) / 20})["image"]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_each_channel_has_its_own_darkest_intensity():
    image = torch.stack([torch.zeros(50, 50), torch.full((50, 50), -7.0)])
    found = RandRicianNoised("image", [1, 1], prob=1).set_random_state(0)({"image": image})["image"]
    means = found.mean((1, 2)).numpy()
    np.testing.assert_allclose(means, [sqrt(pi / 2), sqrt(pi / 2) - 7], atol=0.06)


@pytest.mark.parametrize("no_signal", ["darkness", float("nan"), float("inf"), None])
def test_an_invalid_no_signal_level_is_refused(no_signal):
    with pytest.raises(UsageError, match="no_signal must be a finite number or darkest"):
        RandRicianNoised("image", [0, 1], no_signal=no_signal)
