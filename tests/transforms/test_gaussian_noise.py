import numpy as np
import pytest
import torch
from scipy.stats import kstest

from medseg.errors import UsageError
from medseg.transforms import RandGaussianNoised, add_gaussian_noise


def test_the_noise_is_normal_with_the_given_standard_deviation():
    image = torch.full((1, 40, 40, 40), 3.0)
    noisy = add_gaussian_noise(image, 0.2, torch.Generator().manual_seed(0))
    standard = ((noisy - image) / 0.2).flatten().double().numpy()
    assert kstest(standard, "norm").pvalue > 0.01


def test_voxels_and_channels_have_noise_of_their_own():
    noisy = add_gaussian_noise(torch.zeros(2, 60, 60), 1.0, torch.Generator().manual_seed(0))
    first, second = noisy.flatten(1).numpy()
    # The standard deviation of a correlation of 3600 independent pairs is 1/60.
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.08


def test_strengths_are_drawn_from_the_whole_range():
    step = RandGaussianNoised("image", [0.5, 1.0], prob=1).set_random_state(0)
    image = torch.zeros(1, 30, 30, 30)
    stds = [float(step({"image": image})["image"].std()) for _ in range(60)]
    assert 0.49 < min(stds) < 0.55
    assert 0.95 < max(stds) < 1.01


def test_no_strength_is_no_noise():
    image = torch.rand(1, 5, 5)
    assert torch.equal(
        RandGaussianNoised("image", [0, 0], prob=1)({"image": image})["image"], image
    )


def test_a_negative_strength_is_refused():
    with pytest.raises(UsageError, match=r"std_range must be .* at least 0, got"):
        RandGaussianNoised("image", [-0.1, 0.1])
