"""Words of pixels: every meaning of BitsAllocated, BitsStored, HighBit and PixelRepresentation."""

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from tests.data.dicom.builders import INTERCEPT_HU, hounsfield, recode, save, slices
from tests.data.dicom.test_refusals import assert_refused

SHAPE = (7, 6, 3)


def in_words(values, *, allocated, stored, high, rubbish):
    """Values in words of `allocated` bits, their highest bit at `high`, other bits arbitrary."""
    mask = (1 << stored) - 1
    low = high - stored + 1
    words = (values.astype(object) & mask) << low
    free = ((1 << allocated) - 1) & ~(mask << low)
    return np.vectorize(int)(words | (rubbish & free)).astype(f"<u{allocated // 8}")


def with_words(values, *, allocated, stored, high, sign, rubbish=0):
    made = slices(np.zeros(SHAPE, np.int16))
    for k, ds in enumerate(made):
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, stored, high
        ds.PixelRepresentation, ds.RescaleIntercept = sign, 0
        words = in_words(
            values[:, :, k], allocated=allocated, stored=stored, high=high, rubbish=rubbish
        )
        ds.add_new("PixelData", "OW", words.T.tobytes())
    return made


formats = st.sampled_from([8, 16, 32]).flatmap(
    lambda allocated: st.integers(2, min(allocated, 24)).flatmap(
        lambda stored: st.tuples(
            st.just(allocated), st.just(stored), st.integers(stored - 1, allocated - 1)
        )
    )
)


@given(form=formats, sign=st.integers(0, 1), rubbish=st.integers(0, 2**32 - 1))
def test_a_value_is_the_stored_bits_wherever_they_lie_in_the_word(
    tmp_path_factory, form, sign, rubbish
):
    allocated, stored, high = form
    low, top = (-(2 ** (stored - 1)), 2 ** (stored - 1)) if sign else (0, 2**stored)
    values = np.random.default_rng(stored).integers(low, top, SHAPE)
    values.flat[:2] = low, top - 1
    made = with_words(
        values, allocated=allocated, stored=stored, high=high, sign=sign, rubbish=rubbish
    )
    volume = read_dicom_series(save(made, tmp_path_factory.mktemp("words")))
    np.testing.assert_array_equal(volume.array, values)


def test_overlays_in_unused_high_bits_are_no_part_of_the_value(tmp_path):
    values = np.random.default_rng(0).integers(0, 4096, SHAPE)
    made = with_words(values, allocated=16, stored=12, high=11, sign=0, rubbish=0xF000)
    np.testing.assert_array_equal(read_dicom_series(save(made, tmp_path)).array, values)


def test_slices_may_differ_in_sign_and_bits(tmp_path):
    values = np.random.default_rng(0).integers(0, 1000, SHAPE)
    signed = with_words(values - 500, allocated=16, stored=12, high=11, sign=1)
    plain = with_words(values, allocated=16, stored=16, high=15, sign=0)
    made = [signed[0], plain[1], signed[2]]
    array = read_dicom_series(save(made, tmp_path)).array
    np.testing.assert_array_equal(array[:, :, 1], values[:, :, 1])
    np.testing.assert_array_equal(array[:, :, ::2], (values - 500)[:, :, ::2])


@pytest.mark.parametrize(
    ("keyword", "bits"), [("FloatPixelData", 32), ("DoubleFloatPixelData", 64)]
)
def test_pixels_may_be_floating_point_numbers(tmp_path, keyword, bits):
    values = np.random.default_rng(0).normal(size=SHAPE).astype(f"<f{bits // 8}")
    made = slices(np.zeros(SHAPE, np.int16))
    for k, ds in enumerate(made):
        del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
        ds.BitsAllocated, ds.RescaleIntercept = bits, 0
        setattr(ds, keyword, values[:, :, k].T.tobytes())
    array = read_dicom_series(save(made, tmp_path)).array
    np.testing.assert_array_equal(array, values.astype(np.float32))


def test_white_for_low_values_is_a_matter_of_display(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.PhotometricInterpretation = "MONOCHROME1"
    np.testing.assert_array_equal(read_dicom_series(save(made, tmp_path)).array, hounsfield())


@pytest.mark.parametrize("limit", [None, 65535])
def test_bright_padding_takes_the_lowest_value_of_its_slice(tmp_path, limit):
    array = hounsfield() // 2
    made = slices(array)
    for ds in made:
        words = np.frombuffer(ds.PixelData, "<u2").copy()
        words[:2] = 63536, limit or 63536
        ds.PixelData = words.tobytes()
        ds.add_new("PixelPaddingValue", "US", 63536)
        if limit:
            ds.add_new("PixelPaddingRangeLimit", "US", limit)
    read = read_dicom_series(save(made, tmp_path)).array
    for k in range(10):
        flat, own = read[:, :, k].T.ravel(), array[:, :, k].T.ravel()
        np.testing.assert_array_equal(flat[2:], own[2:])
        assert (flat[:2] == own[2:].min()).all()


def test_dark_padding_stays(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        words = np.frombuffer(ds.PixelData, "<u2").copy()
        words[0] = 2000
        ds.PixelData = words.tobytes()
        ds.add_new("PixelPaddingValue", "US", 2000)
    read = read_dicom_series(save(made, tmp_path)).array
    assert (read[0, 0] == 2000 + INTERCEPT_HU).all()


@pytest.mark.parametrize("missing", ["PhotometricInterpretation", "SamplesPerPixel", "HighBit"])
def test_an_element_with_one_sensible_value_may_be_missing(tmp_path, missing):
    made = slices(hounsfield())
    for ds in made:
        delattr(ds, missing)
    np.testing.assert_array_equal(read_dicom_series(save(made, tmp_path)).array, hounsfield())


@pytest.mark.parametrize("missing", ["BitsAllocated", "BitsStored", "PixelRepresentation"])
def test_an_element_that_values_depend_on_is_named_where_it_is_missing(tmp_path, missing):
    made = slices(hounsfield())
    delattr(made[4], missing)
    assert_refused(
        save(made, tmp_path), f"pixels cannot be read, {missing} is missing: instances 5"
    )


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BitsAllocated", 12),
        ("BitsStored", 17),
        ("BitsStored", 0),
        ("HighBit", 16),
        ("HighBit", 3),
        ("PixelRepresentation", 2),
    ],
)
def test_an_element_that_cannot_be_is_named_with_its_value(tmp_path, keyword, value):
    made = slices(hounsfield())
    setattr(made[4], keyword, value)
    what = f"pixels cannot be read, {keyword} is {value}: instances 5; correct that element"
    assert_refused(save(made, tmp_path), what)


def test_compressed_values_above_the_lowest_bit_are_refused(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.compress(pydicom.uid.RLELossless)
        ds.BitsStored = 12
    assert_refused(save(made, tmp_path), "HighBit is 15 for 12 bits of compressed pixels")


@pytest.mark.parametrize("syntax", ["RLELossless", "JPEG2000Lossless", "JPEGLSLossless"])
@pytest.mark.parametrize("sign", [0, 1])
def test_compressed_words_of_twelve_bits_keep_their_sign(tmp_path, syntax, sign):
    shape = (40, 36, 3)
    values = np.random.default_rng(0).integers(-2048, 2048, shape) + (0 if sign else 2048)
    made = slices(np.zeros(shape, np.int16))
    for k, ds in enumerate(made):
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.RescaleIntercept = 12, 11, sign, 0
        ds.PixelData = values[:, :, k].T.astype("<i2").tobytes()
    folder = save(made, tmp_path)
    for path in folder.iterdir():
        recode(path, syntax)
    np.testing.assert_array_equal(read_dicom_series(folder).array, values)


def test_big_endian_words_of_eight_and_sixteen_bits_are_read(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (8, 6, 3))
    for bits, order in ((8, ">u1"), (16, ">u2")):
        made = slices(np.zeros(values.shape, np.int16))
        for k, ds in enumerate(made):
            ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
            ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.RescaleIntercept = (
                bits,
                bits,
                bits - 1,
                0,
            )
            ds.add_new("PixelData", "OB" if bits == 8 else "OW", b"")
            ds.PixelData = values[:, :, k].T.astype(order).tobytes()
        folder = save(made, tmp_path / str(bits))
        np.testing.assert_array_equal(read_dicom_series(folder).array, values)


def test_a_codestream_of_another_size_is_refused_before_it_is_decoded(tmp_path):
    folder = save(slices(hounsfield((40, 36, 3))), tmp_path)
    for path in folder.iterdir():
        recode(path, "JPEG2000Lossless")
        ds = pydicom.dcmread(path)
        ds.Rows = 20
        ds.save_as(path)
    assert_refused(folder, "Rows or Columns is not what the compressed pixels say")


@pytest.mark.parametrize("keyword", ["PixelData", "FloatPixelData", "DoubleFloatPixelData"])
def test_pixels_of_more_rows_than_the_header_states_are_refused(tmp_path, keyword):
    made = slices(np.zeros((6, 8, 3), np.int16))
    for ds in made:
        if keyword != "PixelData":
            ds.BitsAllocated = 32 if keyword == "FloatPixelData" else 64
            del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
            setattr(ds, keyword, bytes(6 * 8 * ds.BitsAllocated // 8))
        ds.Rows = 4
    said = "pixels are of 2 frames, Rows, Columns and NumberOfFrames say 1: instances 1"
    assert_refused(save(made, tmp_path), said)


def test_a_few_bytes_behind_the_pixels_are_padding(tmp_path):
    made = slices(hounsfield())
    for ds in made:
        ds.PixelData += bytes(16)
    np.testing.assert_array_equal(read_dicom_series(save(made, tmp_path)).array, hounsfield())


def test_compressed_pixels_are_not_taken_for_plain_ones(tmp_path):
    folder = tmp_path / "series"
    for path in save(slices(hounsfield((40, 36, 3))), folder).iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(pydicom.uid.RLELossless)
        ds.save_as(path)
        stated = pydicom.uid.RLELossless.encode()
        plain = pydicom.uid.ExplicitVRLittleEndian.encode().ljust(len(stated), b"\0")
        path.write_bytes(path.read_bytes().replace(stated, plain, 1))
    assert_refused(folder, "TransferSyntaxUID says that compressed pixels are not compressed")


def test_compressed_frames_beyond_the_stated_one_are_refused(tmp_path):
    made = slices(np.zeros((6, 8, 3), np.int16))
    for ds in made:
        ds.NumberOfFrames, ds.PixelData = 2, bytes(2 * 6 * 8 * 2)
        ds.compress(pydicom.uid.RLELossless)
        del ds.NumberOfFrames
    assert_refused(save(made, tmp_path), "pixels are of 2 frames")


@pytest.mark.parametrize("size", [30_000, 65_000])
def test_pixels_that_the_file_cannot_hold_are_refused_before_memory_is_asked_for(tmp_path, size):
    made = slices(hounsfield())
    for ds in made:
        ds.compress(pydicom.uid.RLELossless)
        ds.Rows = ds.Columns = size
    with pytest.raises(InputError, match=r"more than the (limit|file can hold)"):
        read_dicom_series(save(made, tmp_path))
