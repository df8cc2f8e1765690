import numpy as np
import pydicom
import pytest
import SimpleITK

from medseg.data.dicom.ct_writer import write_ct_series
from medseg.data.phantoms.chest.phantom import chest_phantom

CASE = "phantom_007"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An oblique phantom, and the folder of its series."""
    phantom = chest_phantom(1, shape=(40, 32, 12), orientation="LPS")
    folder = tmp_path_factory.mktemp("series")
    write_ct_series(folder, phantom.image, phantom.affine, case=CASE)
    return phantom, folder


def test_simpleitk_reads_the_same_voxels_at_the_same_places(written):
    phantom, folder = written
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).T, phantom.image)
    for voxel in [(0, 0, 0), (39, 0, 0), (0, 31, 0), (0, 0, 11), (20, 9, 5)]:
        ras = (phantom.affine @ (*voxel, 1))[:3]
        lps = image.TransformIndexToPhysicalPoint(voxel)
        np.testing.assert_allclose(lps, ras * (-1, -1, 1), atol=1e-4)


def test_every_slice_is_a_ct_image_with_an_identifier_of_its_own(written):
    _, folder = written
    slices = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    assert [path.name for path in sorted(folder.iterdir())][:2] == ["000.dcm", "001.dcm"]
    assert {str(s.SOPClassUID) for s in slices} == {"1.2.840.10008.5.1.4.1.1.2"}
    assert len({s.SOPInstanceUID for s in slices}) == len(slices) == 12
    assert len({s.SeriesInstanceUID for s in slices}) == 1
    assert all(s.SOPInstanceUID == s.file_meta.MediaStorageSOPInstanceUID for s in slices)
    assert all(s.SOPInstanceUID.startswith("2.25.") for s in slices)
    assert all(s.SOPInstanceUID.is_valid for s in slices)


def test_a_series_tells_nothing_about_a_person_or_a_day(written):
    _, folder = written
    one = pydicom.dcmread(folder / "000.dcm")
    assert one.PatientName == "PHANTOM^007"
    assert one.PatientID == CASE
    dates = [element.value for element in one if element.VR in ("DA", "TM", "DT")]
    assert not any(dates)


def test_the_same_volume_gives_the_same_bytes_and_another_case_other_identifiers(written, tmp_path):
    phantom, folder = written
    for case in (CASE, "phantom_008"):
        (tmp_path / case).mkdir()
        write_ct_series(tmp_path / case, phantom.image, phantom.affine, case=case)
    for path in folder.iterdir():
        assert (tmp_path / CASE / path.name).read_bytes() == path.read_bytes()
    other = pydicom.dcmread(tmp_path / "phantom_008" / "000.dcm")
    assert other.SeriesInstanceUID != pydicom.dcmread(folder / "000.dcm").SeriesInstanceUID


def test_axes_that_a_series_cannot_hold_are_refused(tmp_path):
    image = np.zeros((4, 4, 2), np.int16)
    with pytest.raises(ValueError, match="must be right-handed"):
        write_ct_series(tmp_path, image, np.diag([1.0, 1, -1, 1]), case=CASE)
    sheared = np.eye(4)
    sheared[0, 1] = 0.2
    with pytest.raises(ValueError, match="must be orthogonal"):
        write_ct_series(tmp_path, image, sheared, case=CASE)
    assert not list(tmp_path.iterdir())
