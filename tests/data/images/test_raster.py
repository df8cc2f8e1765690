"""What reading PNG, TIFF, JPEG and BMP promises; SimpleITK and pillow write the files."""

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from medseg.data.images.raster import read_raster
from medseg.data.problems import InputError

ROWS, COLUMNS = 4, 6
GREY = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
RGB = np.stack([GREY, GREY + 100, 255 - GREY], axis=-1)


def written(folder, name, array, **options):
    path = folder / name
    Image.fromarray(array).save(path, **options)
    return path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("raster")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.bmp", "A.PNG"])
def test_rows_come_before_columns_and_red_before_green_before_blue(tmp_path, name):
    image = read_raster(written(tmp_path, name, RGB))
    assert image.shape == (3, ROWS, COLUMNS)
    assert (image == np.moveaxis(RGB, -1, 0)).all()
    assert (read_raster(written(tmp_path, "grey" + name, GREY)) == GREY[None]).all()


@given(array=hnp.arrays(np.uint16, (3, 5)), suffix=st.sampled_from(["png", "tif"]))
def test_sixteen_bits_are_kept(scratch, array, suffix):
    path = scratch / f"deep.{suffix}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), path)
    image = read_raster(path, "label")
    assert image.dtype == np.uint16
    assert (image[0] == array).all()


@given(array=hnp.arrays(np.float32, (3, 5), elements=st.floats(-1e6, 1e6, width=32)))
def test_a_tiff_of_floats_is_kept(scratch, array):
    path = scratch / "float.tif"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), path)
    assert (read_raster(path)[0] == array).all()


def test_a_black_and_white_image_is_0_and_1(tmp_path):
    path = written(tmp_path, "bits.png", GREY > 10)
    image = read_raster(path)
    assert image.dtype == np.uint8
    assert (image[0] == (GREY > 10)).all()


def test_a_palette_gives_its_colours_to_an_image_and_its_numbers_to_a_label(tmp_path):
    paletted = Image.fromarray((GREY % 3).astype(np.uint8), mode="P")
    paletted.putpalette([0, 0, 0, 200, 10, 20, 30, 40, 250])
    paletted.save(tmp_path / "p.png")
    assert (read_raster(tmp_path / "p.png", "label")[0] == GREY % 3).all()
    assert read_raster(tmp_path / "p.png")[:, 0, 1].tolist() == [200, 10, 20]


def test_an_opaque_alpha_channel_is_taken_off(tmp_path):
    alpha = np.full((ROWS, COLUMNS, 1), 255, dtype=np.uint8)
    path = written(tmp_path, "rgba.png", np.concatenate([RGB, alpha], axis=-1))
    assert (read_raster(path) == np.moveaxis(RGB, -1, 0)).all()
    path = written(tmp_path, "la.png", np.concatenate([GREY[..., None], alpha], axis=-1))
    assert (read_raster(path) == GREY[None]).all()


def test_grey_can_be_had_as_colour_and_grey_stored_as_colour_as_grey(tmp_path):
    grey = written(tmp_path, "grey.png", GREY)
    assert (read_raster(grey, "rgb") == np.stack([GREY] * 3)).all()
    stored_as_colour = written(tmp_path, "grey3.png", np.stack([GREY] * 3, axis=-1))
    assert read_raster(stored_as_colour).shape[0] == 3
    for content in ("grey", "label"):
        assert (read_raster(stored_as_colour, content) == GREY[None]).all()


def test_a_photograph_that_says_how_it_was_held_is_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    path = written(tmp_path, "turned.png", GREY, exif=exif)
    assert (read_raster(path)[0] == np.rot90(GREY, -1)).all()


def several_pages(path):
    page = Image.fromarray(GREY)
    page.save(path, save_all=True, append_images=[page, page])


def deep_colour(path):
    colour = np.zeros((ROWS, COLUMNS, 3), dtype=np.uint16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(colour, isVector=True), path)


def transparent(path):
    Image.fromarray(np.zeros((4, 4, 4), dtype=np.uint8)).save(path)


def for_print(path):
    Image.new("CMYK", (4, 4)).save(path)


def cut_short(path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:900])


def second_page_without_width(path):
    several_pages(path)
    content, width = path.read_bytes(), (256).to_bytes(2, "little")  # the number of the tag
    place = content.rindex(width + b"\x04\0")
    path.write_bytes(content[:place] + b"\xe8\xfd" + content[place + 2 :])


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("width.tif", second_page_without_width, "cannot be read as an image"),
        ("pages.tif", several_pages, "holds 3 pages; save each page"),
        ("deep.png", deep_colour, "has 16-bit colours"),
        ("deep.tif", deep_colour, "has 16-bit colours"),
        ("clear.png", transparent, "has transparent pixels"),
        ("print.tif", for_print, "has colour mode CMYK; save it as RGB or grey"),
        ("short.png", cut_short, "cannot be read as an image"),
        ("text.png", lambda path: path.write_text("no image"), "cannot be read as an image"),
        ("none.png", lambda path: None, "not there; check the path"),
    ],
)
def test_what_cannot_be_read_faithfully_is_refused_in_one_line(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(InputError, match=message) as caught:
        read_raster(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(name) == 1
    assert caught.value.problem.where == "image"


@pytest.mark.parametrize("content", ["grey", "label"])
def test_colours_are_refused_where_there_should_be_none(tmp_path, content):
    path = written(tmp_path, "rgb.png", RGB)
    with pytest.raises(InputError, match="holds colours where grey values are expected"):
        read_raster(path, content, where="label")
