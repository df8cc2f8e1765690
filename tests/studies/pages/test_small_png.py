"""Pictures of a page are small files."""

import io

import numpy as np
from PIL import Image

from medseg.studies.pages.small_png import small_png


def opened(content):
    return Image.open(io.BytesIO(content))


def test_a_small_picture_is_kept_as_it_is():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert np.array_equal(np.asarray(opened(small_png(Image.fromarray(pixels)))), pixels)


def test_a_large_picture_is_scaled_until_it_fits():
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    content = small_png(Image.fromarray(noise), 5_000)
    assert len(content) <= 5_000
    width, height = opened(content).size
    assert 1.9 < width / height < 2.1
