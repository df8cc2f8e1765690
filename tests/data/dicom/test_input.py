"""What is opened: folders, single files, and zips that are never unpacked to disk."""

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from medseg.data.dicom import input as dicom_input
from medseg.data.dicom.find import find_dicom_series, scan_series
from medseg.data.dicom.input import DicomInput, is_dicom, open_input
from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from tests.data.builders import an_image, write_nifti
from tests.data.dicom.builders import enhanced, hounsfield, save, slices, uid


def zip_up(folder, path, compression=zipfile.ZIP_DEFLATED, prefix=""):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + str(file.relative_to(folder)))
    return path


@pytest.fixture
def folder(tmp_path):
    save(slices(hounsfield()), tmp_path / "in/ct")
    save(slices(hounsfield((5, 4, 3)), series="b"), tmp_path / "in/b")
    (tmp_path / "in/notes.txt").write_text("no slice")
    return tmp_path / "in"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_holds_what_its_folder_holds(folder, tmp_path, compression):
    path = zip_up(folder, tmp_path / "in.zip", compression)
    assert find_dicom_series(path) == find_dicom_series(folder)
    ours, theirs = (read_dicom_series(p, series_uid=uid("a")) for p in (path, folder))
    np.testing.assert_array_equal(ours.array, theirs.array)
    np.testing.assert_array_equal(ours.affine, theirs.affine)
    assert ours.facts == theirs.facts


def test_a_zipped_multi_frame_file_is_read(tmp_path):
    save([enhanced(hounsfield())], tmp_path / "in")
    path = zip_up(tmp_path / "in", tmp_path / "in.zip")
    np.testing.assert_array_equal(read_dicom_series(path).array, hounsfield())


def test_a_zip_leaves_nothing_on_disk_wherever_its_names_point(folder, tmp_path, monkeypatch):
    inside = tmp_path / "inside"
    (inside / "temporary").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(inside / "temporary"))
    path = zip_up(folder, inside / "slip.zip", prefix="../../slip/")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(inside)
    read_dicom_series(path, series_uid=uid("a"))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_encrypted_zip_is_refused(folder, tmp_path):
    path = zip_up(folder, tmp_path / "in.zip")
    content = bytearray(path.read_bytes())
    # The flag of encryption in each entry of the zip's index, which Python cannot write.
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        content[start + 8] |= 1
        start = content.find(b"PK\x01\x02", start + 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match="the zip is encrypted; unpack it and use the folder"):
        read_dicom_series(path)


def test_a_damaged_zip_is_refused(folder, tmp_path):
    path = zip_up(folder, tmp_path / "in.zip")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="the zip is damaged; copy or export it again"):
        read_dicom_series(path)


def test_a_zip_damaged_in_a_slice_is_refused(tmp_path):
    save(slices(hounsfield((40, 36, 3))), tmp_path / "in")
    path = zip_up(tmp_path / "in", tmp_path / "in.zip", zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        last = archive.infolist()[-1]
    # In the pixels of the last file, whose checksum then does not fit.
    content[last.header_offset + last.file_size - 100] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="1 of 3 files are damaged"):
        read_dicom_series(path)


def test_a_zip_that_unpacks_to_too_much_is_refused(folder, tmp_path, monkeypatch):
    path = zip_up(folder, tmp_path / "in.zip")
    monkeypatch.setattr(dicom_input, "MAX_ZIP_BYTES", 5000)
    with pytest.raises(InputError, match=r"the zip unpacks to more than .* GiB; use a zip of"):
        read_dicom_series(path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="the folder is empty; check the path"):
        read_dicom_series(tmp_path)


def test_names_are_sorted_and_leave_out_what_is_hidden(tmp_path):
    for name in ("b", "a/z", ".c", "__MACOSX/d", "a/.e", "DICOMDIR", "a/dicomdir"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with open_input(tmp_path) as source:
        assert source.names == ("a/z", "b")


def test_a_file_that_may_not_be_read_is_refused_without_its_name(folder):
    # A folder cannot be opened as a file, not even by root, for whom nothing is forbidden.
    source = DicomInput(("ct",), lambda name: (folder / name).open("rb"))
    with pytest.raises(InputError, match="a file cannot be opened; check the permissions") as info:
        scan_series(source)
    assert str(folder) not in str(info.value)


def test_dicom_is_told_by_its_mark_not_by_its_name(folder, tmp_path):
    marked = (folder / "ct/000.dcm").rename(folder / "IM1")
    assert all(is_dicom(path) for path in (folder, marked, Path("a.zip"), Path("a.dcm")))
    nifti = write_nifti(tmp_path / "a.nii.gz", an_image())
    assert not any(is_dicom(path) for path in (nifti, folder / "notes.txt", Path("nothing.nii")))


def test_an_index_of_images_is_refused_with_what_to_give(folder):
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(InputError, match=r"is an index of images \(DICOMDIR\); give the folder"):
        read_dicom_series(folder / "DICOMDIR")
