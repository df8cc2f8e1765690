"""Files that are not there, or not whole: a part of a series is never taken for the whole."""

import os
import zipfile

import numpy as np
import pytest

from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from tests.data.dicom.builders import hounsfield, save, slices, uid
from tests.data.dicom.test_refusals import assert_refused

NAMES = {"suffix": "{:03d}.dcm", "no suffix": "IM{:05d}", "uid": "1.2.840.{}"}
LINKS = "4 of 10 files are links to files that are not there, or pipes; fetch them"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_last_slices_that_were_not_fetched_are_missed(tmp_path, name):
    folder = save(slices(hounsfield())[:6], tmp_path, name)
    for k in range(6, 10):
        (folder / name.format(k)).symlink_to(f".git/annex/objects/{k}")
    assert_refused(tmp_path, LINKS)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_slices_behind_links_are_slices(tmp_path, name):
    store = save(slices(hounsfield()), tmp_path / "store", "{}")
    (tmp_path / "ct").mkdir()
    for k in range(10):
        (tmp_path / "ct" / name.format(k)).symlink_to(store / str(k))
    np.testing.assert_array_equal(read_dicom_series(tmp_path / "ct").array, hounsfield())


def test_half_of_a_series_may_lie_in_a_linked_folder(tmp_path):
    made = slices(hounsfield())
    save(made[::2], tmp_path / "study")
    save(made[1::2], tmp_path / "elsewhere")
    (tmp_path / "study/B").symlink_to(tmp_path / "elsewhere")
    np.testing.assert_array_equal(read_dicom_series(tmp_path / "study").array, hounsfield())


def test_a_study_of_linked_series_is_searched(tmp_path):
    save(slices(hounsfield()), tmp_path / "pool/a")
    save(slices(hounsfield(), series="b"), tmp_path / "pool/b")
    (tmp_path / "study").mkdir()
    for name in "ab":
        (tmp_path / "study" / name).symlink_to(f"../pool/{name}")
    assert {one.uid for one in find_dicom_series(tmp_path / "study")} == {uid("a"), uid("b")}


def test_a_linked_folder_that_is_gone_is_missed(tmp_path):
    save(slices(hounsfield())[:6], tmp_path / "study/A")
    (tmp_path / "study/B").symlink_to(tmp_path / "elsewhere")
    assert_refused(tmp_path / "study", "1 of 7 files are links to files that are not there")


def test_a_link_to_nothing_of_another_kind_does_not_matter(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "ct")
    (tmp_path / "notes.txt").symlink_to("nothing")
    (folder / "report.pdf").symlink_to("nothing")
    np.testing.assert_array_equal(read_dicom_series(tmp_path).array, hounsfield())


def test_a_series_of_which_nothing_was_fetched_says_so(tmp_path):
    for k in range(3):
        (tmp_path / f"{k}.dcm").symlink_to(f".git/annex/objects/{k}")
    assert_refused(tmp_path, "all 3 files are links to files that are not there; fetch them")


def test_a_slice_and_a_link_to_it_are_one(tmp_path):
    folder = save(slices(hounsfield()), tmp_path)
    (folder / "copy.dcm").symlink_to("003.dcm")
    volume = read_dicom_series(folder)
    np.testing.assert_array_equal(volume.array, hounsfield())
    assert volume.facts.copies_left_out == 1


def test_a_pipe_among_the_slices_does_not_hang_and_is_missed(tmp_path):
    folder = save(slices(hounsfield()), tmp_path)
    os.mkfifo(folder / "010.dcm")
    assert_refused(folder, "1 of 11 files are links to files that are not there, or pipes")
    with pytest.raises(InputError, match="is a pipe, device or socket, not a file"):
        read_dicom_series(folder / "010.dcm")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_an_empty_file_among_the_slices_is_missed(tmp_path, name):
    folder = save(slices(hounsfield())[:9], tmp_path, name)
    (folder / name.format(9)).touch()
    assert_refused(folder, r"1 of 10 files are damaged or not slices of the series \(empty\)")


def test_an_empty_member_of_a_zip_is_missed(tmp_path):
    folder = save(slices(hounsfield())[:9], tmp_path / "ct")
    (folder / "009.dcm").touch()
    with zipfile.ZipFile(tmp_path / "ct.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    assert_refused(tmp_path / "ct.zip", "1 of 10 files are damaged")


# Within SeriesInstanceUID a cut leaves a UID that looks like another series'.
@pytest.mark.parametrize("kept", range(0, 1000, 37))
def test_a_file_that_is_still_being_copied_is_missed(tmp_path, kept):
    path = save(slices(hounsfield()), tmp_path) / "009.dcm"
    content = path.read_bytes()
    path.write_bytes(content[: min(kept, len(content) - 2)])
    told = (
        "1 of 10 files are damaged|do not say where they lie|or truncated|thick|differ in whether"
    )
    assert_refused(tmp_path, told)


def test_names_that_are_not_utf_8_are_read(tmp_path):
    save(slices(hounsfield()), tmp_path, os.fsdecode(b"M\xfcller{}.dcm"))
    np.testing.assert_array_equal(read_dicom_series(tmp_path).array, hounsfield())
