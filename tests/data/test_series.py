"""What reading a folder of DICOM slices promises, and what it refuses."""

import numpy as np
import pydicom
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


# The first or the last slice is missed by nobody who does not know how many there were.
@pytest.mark.parametrize("lost", [1, 4, 8])
def test_a_missing_slice_is_refused(series, lost):
    slices(series)[lost].unlink()
    with pytest.raises(InputError, match="slices are missing, unevenly spaced or tilted"):
        read_series(series)


# ITK alone leaves a damaged slice out; where it is the last, the stack is merely shorter.
@pytest.mark.parametrize("damaged", [0, 3, 9])
@pytest.mark.parametrize("kept", [0, 300, -20])
def test_a_damaged_slice_is_refused(series, damaged, kept):
    path = slices(series)[damaged]
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="1 of 10 files are damaged or no slices of the series"):
        read_series(series)


def test_files_of_another_kind_may_lie_beside_the_slices(series):
    for name in ("DICOMDIR", "notes.txt", ".DS_Store"):
        (series / name).write_text("no slice")
    assert read_series(series)[0].shape == (6, 5, 10)


def rewrite(path, **changes):
    slice_ = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(slice_, keyword)
        else:
            setattr(slice_, keyword, value)
    slice_.save_as(path)


def test_slices_of_different_size_are_refused(series):
    rewrite(slices(series)[3], Rows=4, PixelData=bytes(4 * 6 * 2))
    with pytest.raises(InputError, match=r"cannot be read; .* all slices must have the same size"):
        read_series(series)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient"])
def test_slices_that_do_not_say_where_they_lie_are_refused(series, keyword):
    rewrite(slices(series)[3], **{keyword: None})
    with pytest.raises(InputError, match="slices do not say where they lie"):
        read_series(series)


def test_a_slice_that_is_shifted_sideways_is_refused_with_the_distance(series):
    rewrite(slices(series)[5], ImagePositionPatient=[10.4, -20, 5 + 5 * 2.5])
    with pytest.raises(InputError, match=r"tilted \(off by up to 0\.40 mm\)"):
        read_series(series)


def test_colours_are_refused(series):
    for path in slices(series):
        colours = {
            "SamplesPerPixel": 3,
            "PhotometricInterpretation": "RGB",
            "PlanarConfiguration": 0,
            "BitsAllocated": 8,
            "BitsStored": 8,
            "HighBit": 7,
            "PixelData": bytes(6 * 5 * 3),
            "RescaleSlope": None,
            "RescaleIntercept": None,
        }
        rewrite(path, **colours)
    with pytest.raises(InputError, match="holds colours"):
        read_series(series)


def test_several_frames_in_one_file_are_refused(series):
    first, *others = slices(series)
    for path in others:
        path.unlink()
    rewrite(
        first,
        SOPClassUID=pydicom.uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        NumberOfFrames=2,
        PixelData=bytes(2 * 6 * 5 * 2),
    )
    with pytest.raises(InputError, match=r"several frames in one file \(2 in 1 files\); convert"):
        read_series(series)
