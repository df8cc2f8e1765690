"""What reading a folder of DICOM slices promises, and what it refuses."""

import numpy as np
import pytest

from medseg.data.dicom_writer import write_ct_series
from medseg.data.problems import InputError
from medseg.data.series import read_series
from medseg.data.volume import read_volume
from tests.data.builders import an_image

AFFINE = np.array([[2.0, 0, 0, -10], [0, 2.0, 0, 20], [0, 0, 2.5, 5], [0, 0, 0, 1]])


@pytest.fixture
def series(tmp_path):
    """Ten slices of 6 x 5 voxels."""
    folder = tmp_path / "series"
    folder.mkdir()
    write_ct_series(folder, an_image(shape=(6, 5, 10)), AFFINE, case="a")
    return folder


def slices(folder):
    return sorted(folder.glob("*.dcm"))


def test_what_was_written_is_read_whatever_the_files_are_called(series):
    for number, path in enumerate(reversed(slices(series))):
        path.rename(series / f"renamed_{number}.dcm")
    array, affine, dtype = read_series(series)
    np.testing.assert_array_equal(array, an_image(shape=(6, 5, 10)))
    np.testing.assert_allclose(affine, AFFINE, atol=1e-6)
    assert np.dtype(dtype).kind == "i"


@pytest.mark.data
def test_a_real_series_equals_the_nifti_made_of_it_by_others(real_data):
    folder = real_data / "chest_ct/ibsi1-phantom"
    ours = read_volume(folder / "dicom/image")
    theirs = read_volume(folder / "nifti/image/phantom.nii.gz")
    np.testing.assert_array_equal(ours.array, theirs.array)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="the folder is empty; check the path"):
        read_series(tmp_path)


def test_a_folder_without_dicom_is_refused_in_silence(tmp_path, capfd):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match="holds no DICOM series, one is wanted"):
        read_series(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_two_series_in_a_folder_are_refused(series, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write_ct_series(other, an_image(shape=(6, 5, 3)), AFFINE, case="b")
    for path in slices(other):
        path.rename(series / f"b{path.name}")
    with pytest.raises(InputError, match="holds 2 DICOM series, one is wanted"):
        read_series(series)


@pytest.mark.parametrize("lost", [1, 4, 8])
def test_a_missing_slice_is_refused(series, lost):
    slices(series)[lost].unlink()
    with pytest.raises(InputError, match="slices are missing, unevenly spaced or tilted"):
        read_series(series)


def test_a_damaged_slice_is_refused(series):
    path = slices(series)[3]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cannot be read|slices are missing"):
        read_series(series)
