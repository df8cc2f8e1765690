"""Small files that state or inflate to much: refused before memory is asked for."""

import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from medseg.data.dicom import dataset as dataset_module
from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from tests.data.dicom.builders import hounsfield, save, slices
from tests.data.dicom.test_refusals import assert_refused

MOST_BYTES = 64 * 2**20


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    """No case here takes more than some ten MB, whatever its file states."""
    monkeypatch.setattr(dataset_module, "MAX_HEADER_BYTES", 2**20)
    monkeypatch.setattr(dataset_module, "LARGE", 2**18)
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_BYTES


def deflated(folder, made):
    for ds in made:
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return save(made, folder)


def deflate_again(path, change):
    """Replace what is deflated in a file by `change` of it."""
    content = path.read_bytes()
    length = struct.unpack_from("<I", content, 140)[0]
    start = 144 + length
    inside = change(zlib.decompress(content[start:], -zlib.MAX_WBITS))
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(packer.compress(part) for part in inside) + packer.flush()
    path.write_bytes(content[:start] + packed)


def test_deflated_slices_give_the_same_values(tmp_path):
    folder = deflated(tmp_path, slices(hounsfield()))
    np.testing.assert_array_equal(read_dicom_series(folder).array, hounsfield())


def test_a_deflated_file_larger_than_its_steps_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_module, "STEP", 100)
    monkeypatch.setattr(dataset_module, "MAX_HEADER_BYTES", 1500)
    array = np.zeros((40, 36, 3), np.int16)
    folder = deflated(tmp_path, slices(array))
    np.testing.assert_array_equal(read_dicom_series(folder).array, array)


def test_a_deflated_file_that_inflates_beyond_its_pixels_is_refused(tmp_path):
    folder = deflated(tmp_path, slices(hounsfield((7, 6, 1))))
    zeros = bytes(2**20)
    deflate_again(folder / "000.dcm", lambda inside: [inside, *[zeros] * 100])
    assert (folder / "000.dcm").stat().st_size < 2**21
    assert_refused(folder, "pixels are damaged or truncated: instances 1")


def test_a_deflated_element_larger_than_any_header_is_not_taken(tmp_path):
    folder = deflated(tmp_path, slices(hounsfield((7, 6, 1))))
    bomb = b"\x08\x00\x05\x00UT\x00\x00" + struct.pack("<I", 100 * 2**20)
    zeros = bytes(2**20)
    deflate_again(folder / "000.dcm", lambda inside: [bomb, *[zeros] * 100, inside])
    with pytest.raises(InputError, match=r"damaged|no DICOM series|holds no images"):
        read_dicom_series(folder)


@pytest.mark.parametrize("frames", [2 * 10**9, 10**30, -1])
def test_more_frames_than_the_file_has_bytes_are_refused_while_series_are_found(tmp_path, frames):
    made = slices(hounsfield((7, 6, 1)))
    made[0].NumberOfFrames = "1"
    path = save(made, tmp_path) / "000.dcm"
    ds = pydicom.dcmread(path)
    ds["NumberOfFrames"]._value = str(frames)
    ds.save_as(path)
    assert_refused(tmp_path, "NumberOfFrames is not what the file can hold")


def test_more_voxels_than_the_limit_are_refused_with_what_to_set(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEG_MAX_VOXELS", "400")
    folder = save(slices(hounsfield()), tmp_path)
    assert_refused(folder, "states 7 x 6 x 10 voxels, .* if it is so large, set MEDSEG_MAX_VOXELS")


@pytest.mark.parametrize("depth", [500, 100_000])
def test_sequences_within_sequences_end(tmp_path, depth):
    folder = save(slices(hounsfield()), tmp_path)
    path = folder / "004.dcm"
    content = path.read_bytes()
    begin = b"\x40\x00\x60\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    place = content.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(content[:place] + begin * depth + content[place:])
    assert_refused(folder, "1 of 10 files are damaged")


def test_many_empty_items_do_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_module, "MAX_ITEMS", 2**12)
    folder = deflated(tmp_path, slices(hounsfield((7, 6, 1))))
    head = b"\x00\x52\x29\x92SQ\x00\x00" + struct.pack("<I", 8 * 2**16)
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 2**16
    deflate_again(
        folder / "000.dcm",
        lambda inside: [inside[: inside.index(b"\xe0\x7f\x10\x00")], head, items],
    )
    with pytest.raises(InputError, match="inflate to more than their headers state"):
        find_dicom_series(folder)


def test_a_zip_of_large_empty_files_is_looked_through_in_steps(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(3):
            with archive.open(f"{k}.dcm", "w", force_zip64=True) as member:
                member.write(bytes(128) + b"DICM" + b"\x08\x00\x05\x00UT\x00\x00")
                member.write(struct.pack("<I", 100 * 2**20))
                for _ in range(100):
                    member.write(bytes(2**20))
    with pytest.raises(InputError, match="damaged"):
        read_dicom_series(tmp_path / "bomb.zip")
