import numpy as np

from medseg.data.phantoms.chest.scanner import scan
from medseg.data.phantoms.grid import sample_grid


def _scan(seed: int, hu: float, deep_mm: float) -> np.ndarray:
    grid = sample_grid(np.random.default_rng(0), (24, 24, 16))
    body = np.full(grid.shape, deep_mm, np.float32)
    return scan(np.random.default_rng(seed), grid, body, np.full(grid.shape, hu, np.float32))


def test_an_even_body_stays_even_but_for_noise_of_10_to_30_hu():
    for seed in range(10):
        image = _scan(seed, 40, 100.0)
        assert abs(image.mean() - 40) < 3
        # 1.05 deep in the body, 1.4 times that near the shoulders; a little for rounding.
        assert 9 < image.std() < 30 * 1.05 * 1.4


def test_noise_is_weaker_outside_the_body():
    assert _scan(3, 0, -50.0).std() < 0.6 * _scan(3, 0, 100.0).std()


def test_values_stay_in_the_twelve_bits_of_a_scanner():
    assert _scan(1, -1024, 0.0).min() == -1024
    assert _scan(1, 3071, 0.0).max() == 3071
