"""Elements that scanners and anonymisers write wrongly: named, or read where possible."""

import struct
import warnings

import numpy as np
import pydicom
import pytest

from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.series import read_dicom_series
from medseg.data.dicom.source import read_dicom_source
from medseg.data.images.volume import read_volume
from medseg.data.problems import InputError
from medseg.data.source import parse_source
from tests.data.dicom.builders import enhanced, hounsfield, save, slices, uid
from tests.data.dicom.test_refusals import assert_refused

BAD_UIDS = ["anon.1F3A.77", "", "1.2..3", "Mueller", "1." * 40 + "1", "."]


def with_value(folder, keyword, value, made=None, which=slice(None)):
    """Slices whose element holds a text that pydicom would not write."""
    made = slices(hounsfield()) if made is None else made
    with warnings.catch_warnings(action="ignore"):
        for ds in made[which]:
            ds[keyword] = pydicom.DataElement(
                keyword, pydicom.datadict.dictionary_VR(keyword), "", validation_mode=0
            )
            ds[keyword]._value = value
        return save(made, folder)


@pytest.mark.parametrize("stated", BAD_UIDS)
def test_a_series_whose_uid_is_none_is_read_under_another_one(tmp_path, stated):
    volume = read_volume(with_value(tmp_path, "SeriesInstanceUID", stated))
    np.testing.assert_array_equal(volume.array, hounsfield())
    (doubt,) = volume.doubts
    assert doubt.what.startswith("its SeriesInstanceUID is missing or not a UID")
    # The text may be a name, and the UID is shown and names files.
    made = volume.dicom.series_uid
    assert made.startswith("2.25.")
    assert parse_source(f"{tmp_path}#{made}").series_uid == made
    assert read_dicom_series(parse_source(f"{tmp_path}#{made}")).facts.series_uid == made


def test_series_without_uids_in_two_folders_stay_two(tmp_path):
    with_value(tmp_path / "one", "SeriesInstanceUID", "")
    with_value(tmp_path / "two", "SeriesInstanceUID", "")
    assert [one.slices for one in find_dicom_series(tmp_path)] == [10, 10]


def test_no_dicom_output_refers_to_a_uid_that_is_in_no_file(tmp_path):
    folder = with_value(tmp_path, "SeriesInstanceUID", "anon.1")
    with pytest.raises(InputError, match="has no valid SeriesInstanceUID, so no DICOM output"):
        read_dicom_source(folder)


@pytest.mark.parametrize("number", ["IM 7", "7,0", "1e999", "9" * 40])
def test_an_instance_number_that_is_none_does_not_matter(tmp_path, number):
    volume = read_volume(with_value(tmp_path, "InstanceNumber", number))
    np.testing.assert_array_equal(volume.array, hounsfield())


@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        ("ImagePositionPatient", "-40,0\\-30,0\\2,5", "must be 3 numbers, it has decimal commas"),
        ("PixelSpacing", "1,5\\2", "must be 2 numbers, it has decimal commas"),
        ("PixelSpacing", "1.5", "must be 2 numbers"),
        ("RescaleIntercept", "-1,024", "must be a number, it has decimal commas"),
        ("RescaleSlope", "Mueller", "must be a number"),
        ("RescaleSlope", "1e999", "must be a number"),
        ("RescaleSlope", "0", "is 0"),
        ("NumberOfFrames", "two", "must be a number"),
    ],
)
def test_an_element_that_slices_need_is_named_and_its_value_is_not(tmp_path, keyword, value, told):
    message = assert_refused(
        with_value(tmp_path / "all", keyword, value),
        rf"10 of 10 files are damaged .*\({keyword} {told}\); export the series again",
    )
    assert "Mueller" not in message
    one = with_value(tmp_path / "one", keyword, value, which=slice(3, 4))
    assert_refused(one, rf"1 of 10 files are damaged .*\({keyword} {told}\)")


def test_a_broken_series_does_not_keep_its_neighbour_from_being_read(tmp_path):
    save(slices(hounsfield()), tmp_path)
    pet = slices(hounsfield(), series="pet", modality="PT")
    with_value(tmp_path, "RescaleSlope", "1,5", pet)
    for k, ds in enumerate(slices(hounsfield())):
        ds.save_as(tmp_path / f"ct{k}.dcm")
    assert read_dicom_series(tmp_path).facts.series_uid == uid("a")


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO 2022 IR 87", "ISO_IR 192", "nonsense"])
def test_character_sets_and_private_elements_change_no_voxel(tmp_path, charset):
    made = slices(hounsfield())
    for ds in made:
        with warnings.catch_warnings(action="ignore"):
            ds.SpecificCharacterSet = charset
        ds.PatientName = b"M\xc3\xbcller^\x1b$B;3ED\x1b(B"
        block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", bytes(1000))
    with warnings.catch_warnings(action="ignore"):
        save(made, tmp_path)
    np.testing.assert_array_equal(read_dicom_series(tmp_path).array, hounsfield())


def test_frames_and_their_groups_must_agree(tmp_path):
    ds = enhanced(hounsfield())
    ds.NumberOfFrames = 9
    what = "NumberOfFrames is 9, but PerFrameFunctionalGroupsSequence has 10"
    assert_refused(save([ds], tmp_path), what)


def test_an_element_longer_than_its_file_is_damage(tmp_path):
    path = save(slices(hounsfield((7, 6, 1))), tmp_path) / "000.dcm"
    content = path.read_bytes()
    place = content.index(b"\x08\x00\x60\x00")
    long = b"\x08\x00\x05\x00UT\x00\x00" + struct.pack("<I", 2**32 - 2)
    path.write_bytes(content[:place] + long + content[place:])
    assert_refused(tmp_path, "damaged")


def test_pixels_that_state_a_length_beyond_their_file_are_those_that_are_there(tmp_path):
    path = save(slices(hounsfield((7, 6, 1))), tmp_path) / "000.dcm"
    content = path.read_bytes()
    place = content.index(b"\xe0\x7f\x10\x00") + 8
    path.write_bytes(content[:place] + struct.pack("<I", 2**32 - 2) + content[place + 4 :])
    np.testing.assert_array_equal(read_dicom_series(tmp_path).array, hounsfield((7, 6, 1)))
