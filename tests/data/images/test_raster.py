"""What reading PNG, TIFF, JPEG and BMP promises; SimpleITK and pillow write the files."""

import os
import struct
import zlib

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from medseg.data.images.raster import read_pixels, read_raster
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
def test_sixteen_bits_of_a_label_are_kept(scratch, array, suffix):
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


@pytest.mark.parametrize("name", ["bits.png", "bits.tif"])
def test_black_and_white_is_0_and_1_in_a_label_and_0_and_255_in_an_image(tmp_path, name):
    path = written(tmp_path, name, GREY > 10)
    for content, white in (("label", 1), ("grey", 255)):
        pixels = read_raster(path, content)
        assert pixels.dtype == np.uint8
        assert (pixels[0] == white * (GREY > 10)).all()


def a_png(colour_type, bits, rows, more=b"", size=None):
    """A PNG of 8 columns by hand, from its rows of bytes; `size` is what it states instead."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", *(size or (8, len(rows))), bits, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), more and chunk(b"tRNS", more), chunk(b"IDAT", pixels)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("bits", "row", "numbers"),
    [
        (1, b"\x5a", [0, 1, 0, 1, 1, 0, 1, 0]),
        (2, b"\x1b\xe4", [0, 1, 2, 3, 3, 2, 1, 0]),
        (4, b"\x01\x23\xcd\xef", [0, 1, 2, 3, 12, 13, 14, 15]),
    ],
)
def test_few_bits_are_numbers_in_a_label_and_brightness_in_an_image(tmp_path, bits, row, numbers):
    (tmp_path / "a.png").write_bytes(a_png(0, bits, [row]))
    assert read_raster(tmp_path / "a.png", "label")[0, 0].tolist() == numbers
    spread = [number * 255 // (2**bits - 1) for number in numbers]
    assert read_raster(tmp_path / "a.png")[0, 0].tolist() == spread
    # Pillow spreads them likewise.
    assert np.asarray(Image.open(tmp_path / "a.png").convert("L"))[0].tolist() == spread


def test_a_colour_that_stands_for_transparent_is_refused_where_a_pixel_has_it(tmp_path):
    (tmp_path / "a.png").write_bytes(a_png(0, 8, [bytes(range(8))], more=b"\0\7"))
    with pytest.raises(InputError, match="has transparent pixels"):
        read_raster(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(a_png(0, 8, [bytes(range(8))], more=b"\0\x63"))
    assert read_raster(tmp_path / "a.png")[0, 0].tolist() == list(range(8))


@pytest.mark.parametrize("colour_type", [4, 6])
def test_sixteen_bit_pngs_with_alpha_are_refused(tmp_path, colour_type):
    row = bytes(8 * 2 * {4: 2, 6: 4}[colour_type])
    (tmp_path / "a.png").write_bytes(a_png(colour_type, 16, [row]))
    with pytest.raises(InputError, match="has 16-bit colours, of which only 8 bit"):
        read_raster(tmp_path / "a.png")


@given(array=hnp.arrays(np.uint16, (3, 5)), suffix=st.sampled_from(["png", "tif"]))
def test_an_image_of_sixteen_bits_has_the_brightness_of_one_of_eight(scratch, array, suffix):
    path = scratch / f"deep.{suffix}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), path)
    for content in ("any", "grey", "rgb"):
        image = read_raster(path, content)
        assert image.dtype == np.float32
        np.testing.assert_allclose(image[-1], array / 257, rtol=1e-6)


def test_the_same_picture_in_eight_and_in_sixteen_bits_is_the_same(tmp_path):
    eight = read_raster(written(tmp_path, "8.png", GREY))
    sixteen = read_raster(written(tmp_path, "16.png", GREY.astype(np.uint16) * 257))
    np.testing.assert_allclose(sixteen, eight, rtol=1e-6)


def doubts(path, content="any"):
    return [doubt.what for doubt in read_pixels(path, content).doubts]


def test_what_was_done_to_the_values_is_told(tmp_path):
    full = written(tmp_path, "full.png", GREY.astype(np.uint16) * 2700)
    (doubt,) = doubts(full)
    assert doubt == "holds uint16, brought to 0 to 255 by the type's range"
    # 12 bits of a camera in 16 of the file
    (doubt,) = doubts(written(tmp_path, "camera.png", GREY.astype(np.uint16) * 100))
    assert doubt.startswith("uses less than an eighth of the range of uint16, so that it is dark")
    (doubt,) = doubts(written(tmp_path, "float.tif", GREY.astype(np.float32)))
    assert doubt.startswith("holds grey values of type float32, which has no agreed value of white")
    assert doubts(written(tmp_path, "8.png", GREY)) == doubts(full, "label") == []


def test_a_preview_behind_a_photograph_is_no_second_page(tmp_path):
    preview = Image.fromarray(RGB[::2, ::2])
    Image.fromarray(RGB).save(
        tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[preview], quality=100
    )
    with Image.open(tmp_path / "phone.jpg") as photograph:
        assert photograph.n_frames == 2
        shown = np.asarray(photograph)
    assert (read_raster(tmp_path / "phone.jpg") == np.moveaxis(shown, -1, 0)).all()


def test_the_content_decides_what_a_picture_is_not_its_name(tmp_path):
    assert (read_raster(written(tmp_path, "a.png", GREY, format="TIFF")) == GREY).all()
    assert (read_raster(written(tmp_path, "a.tif", GREY, format="PNG")) == GREY).all()
    with pytest.raises(InputError, match="its content is none of PNG, TIFF, JPEG, BMP"):
        read_raster(written(tmp_path, "b.png", GREY, format="GIF"))


@pytest.mark.parametrize(
    ("suffix", "before", "stated"),
    [
        ("bmp", b"\x28\0\0\0", struct.pack("<ii", 20000, 20000)),
        ("jpg", b"\xff\xc0\0\x0b\x08", struct.pack(">HH", 20000, 20000)),
        ("tif", struct.pack("<HHI", 257, 4, 1), struct.pack("<I", 2000000000)),
    ],
)
def test_a_small_file_that_states_a_large_picture_is_refused(tmp_path, suffix, before, stated):
    path = written(tmp_path, f"a.{suffix}", GREY)
    content = path.read_bytes()
    at = content.index(before) + len(before)
    path.write_bytes(content[:at] + stated + content[at + len(stated) :])
    with pytest.raises(InputError, match=r"its header states|not in the file"):
        read_raster(path)


def test_a_png_of_a_few_bytes_that_states_a_large_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(a_png(0, 8, [bytes(8)], size=(20000, 20000)))
    with pytest.raises(InputError, match="its header states 20000 x 20000 pixels"):
        read_raster(tmp_path / "a.png")


def test_a_picture_above_the_limit_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path, "a.png", RGB)
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "71")
    with pytest.raises(InputError, match="6 x 4 x 3 voxels, more than the limit of 71"):
        read_raster(path)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match="a pipe, device or socket, not a file"):
        read_raster(tmp_path / "a.png")


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


@pytest.mark.parametrize("name", ["turned.png", "turned.jpg", "turned.tif", "packed.tif"])
@pytest.mark.parametrize("content", ["grey", "label"])
def test_a_picture_turned_by_its_tag_is_told_as_its_label_may_not_be(tmp_path, name, content):
    exif = Image.Exif()
    exif[0x0112] = 6
    packing = {"compression": "tiff_lzw"} if name == "packed.tif" else {}
    path = written(tmp_path, name, GREY, exif=exif, **packing)
    told = [doubt.what for doubt in read_pixels(path, content).doubts]
    assert told[0].startswith("is turned as its Orientation tag (6) says")
    upright = read_pixels(written(tmp_path, "upright.png", GREY), content)
    assert upright.doubts == ()


@pytest.mark.parametrize(("name", "options"), [("a.jpg", {}), ("a.tif", {"compression": "jpeg"})])
def test_a_label_that_was_compressed_with_loss_is_told(tmp_path, name, options):
    path = written(tmp_path, name, GREY, **options)
    (doubt,) = read_pixels(path, "label", where="label").doubts
    assert doubt.what.startswith("is compressed with loss (JPEG)")
    assert read_pixels(path, "grey").doubts == ()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize(
    ("colours", "told"),
    [
        ([(0, 0, 0), (255, 0, 0)], 0),
        ([(255, 0, 0), (0, 0, 0)], 1),
        ([(255, 255, 255), (255, 0, 0)], 0),
    ],
    ids=["black is 0", "black is 1", "no black"],
)
def test_a_palette_that_was_sorted_by_a_program_is_told(tmp_path, name, colours, told):
    label = Image.fromarray((GREY > 10).astype(np.uint8)).convert("P")
    label.putpalette([number for colour in colours for number in colour])
    label.save(tmp_path / name)
    pixels = read_pixels(tmp_path / name, "label", where="label")
    assert (pixels.array[0] == (GREY > 10)).all()
    assert len(pixels.doubts) == told
    assert all("shows 1 in black and 0 in a colour" in doubt.what for doubt in pixels.doubts)


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
        ("width.tif", second_page_without_width, "holds 3 pages; save each page"),
        ("pages.tif", several_pages, "holds 3 pages; save each page"),
        ("deep.png", deep_colour, "has 16-bit colours"),
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


@given(data=st.data(), suffix=st.sampled_from(["png", "jpg", "bmp"]))
def test_whatever_byte_is_damaged_the_user_gets_one_line(scratch, data, suffix):
    path = written(scratch, f"damaged.{suffix}", data.draw(st.sampled_from([GREY, RGB])))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    result = outcome(path)
    assert len(result.splitlines()) == 1 if isinstance(result, str) else result.shape[0] in (1, 3)


def test_a_chunk_with_a_damaged_name_is_reported_in_one_line(tmp_path):
    content = a_png(0, 8, [bytes(8)]).replace(b"IEND", b" ;\xe5\xd2")
    (tmp_path / "a.png").write_bytes(content)
    assert "\n" not in str(outcome(tmp_path / "a.png"))


def outcome(path):
    try:
        return read_raster(path)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("chunk", [b"eXIf", b"\0\0\0\0"])
def test_a_chunk_that_pillow_cannot_parse_is_damage(tmp_path, chunk):
    path = written(tmp_path, "a.png", GREY)
    data = path.read_bytes()
    body = chunk + b"none of its"
    made = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    # Before the pixels, whose chunk begins at 33.
    path.write_bytes(data[:33] + made + data[33:])
    with pytest.raises(InputError, match="cannot be read as") as caught:
        read_raster(path)
    assert "\n" not in str(caught.value)
