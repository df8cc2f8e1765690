"""What the picture of a picture promises."""

import numpy as np
import pytest
from PIL import Image

from medseg.data.colours import class_colour
from medseg.errors import DataError
from medseg.reports.picture_overlay import PictureOptions, overlay_picture

NAMES = ["background", "cell"]


def draw(tmp_path, image, label, **options):
    options = PictureOptions(case="a", class_names=NAMES, **options)
    overlay_picture(image, label, tmp_path / "a.png", options)
    return np.asarray(Image.open(tmp_path / "a.png"))


@pytest.fixture
def label():
    cells = np.zeros((40, 60), np.uint16)
    cells[5:20, 5:20] = 1
    cells[22:38, 30:55] = 2
    return cells


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "RGB"])
def test_the_image_stands_beside_itself_with_every_object_in_a_colour(tmp_path, label, channels):
    image = np.random.default_rng(0).integers(0, 255, (40, 60, *channels), dtype=np.uint8)
    page = draw(tmp_path, image, label, kind="instances")
    half = page.shape[1] // 2
    for number in (1, 2):
        painted = (page[:-100] == class_colour(number)).all(axis=-1)
        assert painted[:, half:].sum() > 50
        assert not painted[:, :half].any()


def test_a_picture_in_colours_keeps_them_within_the_outline(tmp_path, label):
    image = np.full((40, 60, 3), (200, 90, 160), np.uint8)
    page = draw(tmp_path, image, (label > 0).astype(np.uint8))
    grey = draw(tmp_path, image[..., 0], (label > 0).astype(np.uint8))
    # The middle of the second object, in the right panel: (30 of 40, 42 of 60) pixels.
    left, top, width = 24 + 640 + 8, 78, 640
    at = top + round(30 / 40 * width * 40 / 60), left + round(42 / 60 * width)
    assert tuple(page[at]) == (200, 90, 160)
    assert tuple(grey[at]) != tuple(grey[at[0], at[1] - width - 8])


def test_colours_of_more_than_8_bits_are_drawn_as_those_of_8(tmp_path, label):
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    pages = [
        draw(tmp_path, colours, label, kind="instances")
        for colours in (image, image.astype(np.float32))
    ]
    np.testing.assert_array_equal(*pages)


def test_the_same_input_gives_the_same_file(tmp_path, label):
    first, second = (draw(tmp_path, np.eye(40, 60), label, kind="instances") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_picture_of_one_grey_value_can_be_drawn(tmp_path):
    page = draw(tmp_path, np.zeros((40, 60), np.uint8), np.zeros((40, 60), np.uint8))
    assert page.size
    # Nothing is labelled; below stands the legend.
    assert not (page[:-100] == class_colour(1)).all(axis=-1).any()


def test_a_label_of_another_size_is_refused(tmp_path, label):
    with pytest.raises(DataError, match="must be one picture"):
        draw(tmp_path, np.zeros((40, 61)), label)
