"""What reading TIFF promises, in every sample format; tifffile and pillow write the files."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medseg.data.images.raster import read_raster
from medseg.data.problems import InputError

GREY = (np.arange(5 * 7, dtype=np.uint8) * 7).reshape(5, 7)
RGB = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)
NUMBERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
FLOATS = ["float16", "float32", "float64"]


def refused(path, message, content="any"):
    with pytest.raises(InputError, match=message) as caught:
        read_raster(path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", NUMBERS + FLOATS)
@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"byteorder": ">"},
        {"bigtiff": True, "tile": (16, 16)},
        {"compression": "zlib", "byteorder": ">", "rowsperstrip": 2},
        {"compression": "zlib", "tile": (16, 16)},
    ],
)
def test_every_type_gives_a_label_its_numbers(tmp_path, dtype, layout):
    array = (GREY // 2).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, **layout)
    read = read_raster(tmp_path / "a.tif", "label")[0]
    assert read.dtype == dtype
    assert read.dtype.isnative
    assert (read == array).all()


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint32", "uint64", *FLOATS])
def test_grey_values_without_a_range_are_kept_and_colours_of_such_a_type_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "grey.tif", (GREY // 2).astype(dtype))
    assert (read_raster(tmp_path / "grey.tif", "grey")[0] == GREY // 2).all()
    refused(tmp_path / "grey.tif", f"holds colours of type {dtype}", "rgb")
    tifffile.imwrite(tmp_path / "rgb.tif", (RGB // 2).astype(dtype), photometric="rgb")
    refused(tmp_path / "rgb.tif", f"colours of type {dtype}, which has no agreed value of white")


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(("dtype", "factor"), [("uint8", 1), ("uint16", 257)])
def test_colours_of_8_and_16_bits_are_the_same_brightness(tmp_path, planar, dtype, factor):
    array = RGB.astype(dtype) * factor
    stored = array if planar == "contig" else np.moveaxis(array, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
    image = read_raster(tmp_path / "a.tif", "rgb")
    np.testing.assert_allclose(image, np.moveaxis(RGB, -1, 0), rtol=1e-6)


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535)])
def test_black_is_0_where_the_file_has_white_as_0(tmp_path, dtype, white):
    black, inverse = tmp_path / "black.tif", tmp_path / "white.tif"
    array = GREY.astype(dtype) * (white // 255)
    tifffile.imwrite(black, array, photometric="minisblack")
    tifffile.imwrite(inverse, white - array, photometric="miniswhite")
    np.testing.assert_array_equal(read_raster(inverse), read_raster(black))
    refused(inverse, r"has white as 0 \(MinIsWhite\) in uint.*; save it with black as 0", "label")


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_white_as_0_is_refused_in_a_type_that_has_no_white(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", (GREY // 2).astype(dtype), photometric="miniswhite")
    refused(tmp_path / "a.tif", f"has white as 0 .MinIsWhite. in {dtype}")


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_black_and_white_is_read_as_pillow_shows_it(tmp_path, photometric):
    tifffile.imwrite(tmp_path / "a.tif", GREY > 70, photometric=photometric)
    shown = np.asarray(Image.open(tmp_path / "a.tif"))
    assert (shown == ((GREY > 70) == (photometric == "minisblack"))).all()
    assert (read_raster(tmp_path / "a.tif", "grey")[0] == shown * 255).all()


@pytest.mark.parametrize("writer", ["tifffile", "pillow"])
def test_a_mask_of_one_bit_whose_white_is_0_is_refused_as_libraries_read_it_differently(
    tmp_path, writer
):
    path, mask = tmp_path / "a.tif", GREY > 70
    if writer == "tifffile":
        tifffile.imwrite(path, mask)  # the default of its booleans is MinIsWhite
    else:
        Image.fromarray(~mask).save(path, tiffinfo={262: 0}, compression="group4")
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].photometric == 0
    refused(path, "has white as 0 .MinIsWhite. in bool.*; save it with black as 0", "label")


def test_a_file_without_any_picture_is_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0\0\0\0\0")
    refused(tmp_path / "a.tif", "holds no picture")


def test_a_palette_gives_its_colours_to_an_image_and_its_numbers_to_a_label(tmp_path):
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 1] = [200 * 257, 10 * 257, 20 * 257]
    tifffile.imwrite(tmp_path / "a.tif", GREY % 3, photometric="palette", colormap=colours)
    assert (read_raster(tmp_path / "a.tif", "label")[0] == GREY % 3).all()
    shown = np.moveaxis(np.asarray(Image.open(tmp_path / "a.tif").convert("RGB")), -1, 0)
    assert (read_raster(tmp_path / "a.tif") == shown).all()
    assert [200, 10, 20] in shown.reshape(3, -1).T.tolist()


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
@pytest.mark.parametrize(("dtype", "opaque"), [("uint8", 255), ("uint16", 65535)])
def test_an_opaque_fourth_channel_is_taken_off_another_refused(tmp_path, kind, dtype, opaque):
    four = np.full((5, 7, 4), opaque, dtype)
    four[..., :3] = RGB.astype(dtype) * (opaque // 255)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, four, photometric="rgb", extrasamples=[kind])
    np.testing.assert_allclose(read_raster(path), np.moveaxis(RGB, -1, 0), rtol=1e-6)
    four[1, 2, 3] = 0
    tifffile.imwrite(path, four, photometric="rgb", extrasamples=[kind])
    refused(path, "has transparent pixels")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_picture_is_turned_as_its_orientation_says(tmp_path, orientation, compression):
    Image.fromarray(RGB).save(
        tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation}
    )
    shown = Image.open(tmp_path / "a.tif")
    shown.load()
    assert (read_raster(tmp_path / "a.tif") == np.moveaxis(np.asarray(shown), -1, 0)).all()


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "group4", "jpeg"])
def test_what_pillow_packs_is_as_pillow_shows_it(tmp_path, compression):
    pixels = {"group4": GREY > 70, "jpeg": RGB}.get(compression, GREY)
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression=compression)
    shown = np.asarray(Image.open(tmp_path / "a.tif").convert("RGB"))
    assert (read_raster(tmp_path / "a.tif", "rgb") == np.moveaxis(shown, -1, 0)).all()
    if compression != "jpeg":
        assert (read_raster(tmp_path / "a.tif", "label")[0] == pixels).all()


def test_sixteen_bits_under_lzw_are_kept(tmp_path):
    array = GREY.astype(np.uint16) * 200
    Image.fromarray(array).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert (read_raster(tmp_path / "a.tif", "label")[0] == array).all()


def stack(path, **options):
    tifffile.imwrite(path, np.stack([GREY] * 5), photometric="minisblack", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"truncate": True, "metadata": {"axes": "ZYX"}},
        {"imagej": True},
        {"imagej": True, "truncate": True},
        {"metadata": None},
        {},
    ],
)
def test_a_stack_is_refused_also_where_one_page_stands_for_all(tmp_path, options):
    stack(tmp_path / "a.tif", **options)
    refused(tmp_path / "a.tif", "holds 5 pages; save each page as a file of its own")


@pytest.mark.parametrize(
    "description",
    [
        "ImageJ=1.53t\nimages=5\nslices=5\n",
        "ImageJ=1.53t\nslices=5\n",
        '<OME><Image><Pixels SizeX="7" SizeY="5" SizeZ="5" SizeT="1"/></Image></OME>',
    ],
)
def test_one_page_whose_description_tells_of_several_is_refused(tmp_path, description):
    tifffile.imwrite(tmp_path / "a.tif", GREY, description=description, metadata=None)
    refused(tmp_path / "a.tif", "holds 5 pages")


def test_a_single_picture_of_imagej_is_one_page(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, imagej=True)
    assert (read_raster(tmp_path / "a.tif")[0] == GREY).all()


@pytest.mark.parametrize("first", ["picture", "preview"])
def test_a_preview_is_no_second_page(tmp_path, first):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        pages = [(GREY, 0), (GREY[::2, ::2], 1)]
        for pixels, subfile in pages if first == "picture" else pages[::-1]:
            file.write(pixels, subfiletype=subfile, metadata=None)
    assert (read_raster(tmp_path / "a.tif")[0] == GREY).all()


def test_smaller_levels_of_a_pyramid_are_no_further_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(RGB, photometric="rgb", subifds=1)
        file.write(RGB[::2, ::2], photometric="rgb", subfiletype=1)
    assert (read_raster(tmp_path / "a.tif") == np.moveaxis(RGB, -1, 0)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"photometric": "cielab"}, "has colour mode CIELab; save it as RGB or grey"),
        ({"photometric": "ycbcr"}, "has colour mode YCbCr"),
        ({"photometric": "minisblack", "planarconfig": "contig"}, "has 3 channels"),
    ],
)
def test_other_colours_are_refused(tmp_path, options, message):
    tifffile.imwrite(tmp_path / "a.tif", RGB, **options)
    refused(tmp_path / "a.tif", message)


def test_complex_numbers_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(np.complex64))
    refused(tmp_path / "a.tif", "or complex ones; save it with 8 or 16 bits")


def test_another_compression_is_refused_with_what_to_do(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, compression="zlib")
    content = (tmp_path / "a.tif").read_bytes()
    tag = struct.pack("<HHI", 259, 3, 1)
    at = content.index(tag) + len(tag)
    (tmp_path / "a.tif").write_bytes(content[:at] + struct.pack("<H", 50000) + content[at + 2 :])
    refused(tmp_path / "a.tif", "is compressed by ZSTD, with uint8 of MINISBLACK; save it without")


@pytest.mark.parametrize("packed", [None, "zlib"])
def test_a_file_that_is_cut_is_refused(tmp_path, packed):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression=packed)
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[:-100])
    refused(tmp_path / "a.tif", "cannot be read as an image")


def test_pixels_that_unpack_to_more_than_the_header_states_are_refused(tmp_path):
    bomb = zlib.compress(bytes(2**26))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(iter([bomb]), shape=(64, 64), dtype="uint8", compression="zlib", rowsperstrip=64)
    refused(tmp_path / "a.tif", "its pixels unpack to more than its header states")


def outcome(path):
    try:
        return read_raster(path)
    except InputError as error:
        return str(error)


@given(data=st.data())
def test_whatever_byte_is_damaged_the_user_gets_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "a.tif"
    options = data.draw(
        st.sampled_from([{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"bigtiff": True}])
    )
    tifffile.imwrite(path, GREY, **options)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    result = outcome(path)
    assert len(result.splitlines()) == 1 if isinstance(result, str) else result.shape[0] in (1, 3)


@pytest.mark.parametrize("tag", [256, 257, 258, 259, 262, 277, 317])
def test_a_damaged_tag_is_not_replaced_by_its_default(tmp_path, tag):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", compression="zlib", predictor=2)
    content = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        at = file.pages[0].tags[tag].offset
    # Its value is said to lie far behind the file's end.
    entry = struct.pack("<HHII", tag, 4, 60000, 2**31)
    (tmp_path / "a.tif").write_bytes(content[:at] + entry + content[at + 12 :])
    refused(tmp_path / "a.tif", rf"its tag {tag} is damaged|cannot be read as an image")


@pytest.mark.parametrize("axis", ["ImageWidth", "ImageLength"])
@pytest.mark.parametrize(("kind", "size"), [(6, -1), (8, -1), (8, -7), (9, -1), (9, -7)])
def test_a_size_below_0_of_a_signed_type_is_refused_at_once(tmp_path, axis, kind, size):
    tifffile.imwrite(tmp_path / "a.tif", GREY[:, :5], metadata={})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        entry = file.pages[0].tags[axis].offset
    content = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<H", content, entry + 2, kind)
    struct.pack_into("<i", content, entry + 8, size)
    (tmp_path / "a.tif").write_bytes(content)
    refused(tmp_path / "a.tif", f"its header states a size of {size}")


def changed(path, tag, form, at, value):
    """Write another number into a tag's entry: at 2 its type, at 8 its value."""
    with tifffile.TiffFile(path) as file:
        entry = file.pages[0].tags[tag].offset
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, entry + at, value)
    path.write_bytes(content)


@pytest.mark.parametrize(("tag", "size"), [("ImageWidth", 8), ("ImageLength", 16)])
def test_tiles_of_a_larger_picture_are_refused(tmp_path, tag, size):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.resize(GREY, (40, 30)), tile=(16, 16), metadata={})
    changed(path, tag, "<I", 8, size)
    refused(path, r"its header states a size of [23] tiles, the file has 6")


def test_strips_of_a_larger_picture_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    large = np.resize(GREY, (40, 30))
    tifffile.imwrite(path, large, rowsperstrip=8, compression="zlib", metadata={})
    changed(path, "ImageLength", "<H", 8, 32)
    refused(path, "its header states a size of 4 strips, the file has 5")


def test_a_single_strip_whose_rows_are_misstated_is_whole(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, metadata={})
    changed(path, "RowsPerStrip", "<H", 8, 2)
    np.testing.assert_array_equal(read_raster(path, "label")[0], GREY)


@pytest.mark.parametrize("tag", ["TileOffsets", "TileByteCounts"])
def test_places_of_a_type_that_is_no_place_are_refused(tmp_path, tag):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.resize(GREY, (40, 30)), tile=(16, 16), metadata={})
    changed(path, tag, "<H", 2, 1)
    refused(path, "places of its pixels are of a type that is no place|part of its pixels")


def test_more_pixels_than_the_header_tells_of_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.tile(GREY, (20, 20)))
    content = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        at = file.pages[0].tags[258].offset
    # 8 bits become 1.
    assert content[at + 8] == 8
    (tmp_path / "a.tif").write_bytes(content[: at + 8] + b"\1" + content[at + 9 :])
    refused(tmp_path / "a.tif", "states 1750 bytes of pixels, the file has 14000")


def test_strips_beside_tiles_are_refused_since_programs_take_either(tmp_path):
    grey = np.arange(1200, dtype=np.uint8).reshape(40, 30)
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, grey, tile=(16, 16), extratags=[(65000, "I", 1, 8, True)])
    other, strips = (code.to_bytes(2, "little") for code in (65000, 273))
    file.write_bytes(file.read_bytes().replace(other, strips))
    with pytest.raises(InputError, match="states both strips and tiles"):
        read_raster(file)
