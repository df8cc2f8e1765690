"""Real series against the NIfTI or NRRD that others made of them, and against SimpleITK."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

from medseg.data.dicom.series import read_dicom_series
from medseg.data.images.volume import read_volume

pytestmark = pytest.mark.data

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
SARCOMA = "sarcoma_ct_mr_pet"
PAIRS = {
    "ibsi1": ("chest_ct/ibsi1-phantom/dicom", "chest_ct/ibsi1-phantom/nifti/image/phantom.nii.gz"),
    "cip": ("chest_ct/cip-ct64/dicom", "chest_ct/cip-ct64/ct-64.nrrd"),
    "CT": (f"{SARCOMA}/dicom/STS_008/CT", f"{SARCOMA}/STS_008/CT_image.nii.gz"),
    "MR": (f"{SARCOMA}/dicom/STS_008/MR_T1", f"{SARCOMA}/STS_008/MR_T1_image.nii.gz"),
    "PET": (f"{SARCOMA}/dicom/STS_008/PET", f"{SARCOMA}/STS_008/PET_image.nii.gz"),
}


def gap_mm(ours, theirs, shape):
    corners = np.stack([*np.indices((2, 2, 2)), np.ones((2, 2, 2))]).reshape(4, -1)
    corners[:3] *= np.array(shape)[:, None] - 1
    return np.linalg.norm(((ours - theirs) @ corners)[:3], axis=0).max()


@pytest.mark.parametrize("name", PAIRS)
def test_values_and_places_are_those_of_the_converted_file(real_data, name):
    series, converted = (real_data / path for path in PAIRS[name])
    ours, theirs = read_dicom_series(series), read_volume(converted)
    assert gap_mm(ours.affine, theirs.affine, theirs.shape) <= 0.01
    # PET has a slope of ten digits for each slice, so the last bit of 32 may differ.
    ulps = 4 if name == "PET" else 0
    np.testing.assert_array_max_ulp(ours.array.astype("f4"), theirs.array.astype("f4"), ulps)
    assert ours.array.dtype == (np.float32 if name == "PET" else np.int16)


def test_a_series_lies_where_the_segmentation_made_on_it_lies(real_data):
    folder = real_data / "body_ct/dcmqi-ct-3slice"
    ours, label = read_dicom_series(folder / "dicom"), read_volume(folder / "liver_seg.nrrd")
    assert ours.array.shape == label.shape
    assert gap_mm(ours.affine, label.affine, label.shape) <= 0.01
    # Liver tissue in HU, which a shifted or flipped label would miss.
    assert 0 < np.median(ours.array[label.array > 0]) < 200


@pytest.mark.parametrize("study", ["study1", "study2"])
def test_values_and_places_are_those_that_simpleitk_reads(real_data, study):
    folder = real_data / "mri/hippocrop_dicom" / study
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image, ours = reader.Execute(), read_dicom_series(folder)
    np.testing.assert_array_equal(ours.array, sitk.GetArrayFromImage(image).T)
    for index in ((0, 0, 0), tuple(size - 1 for size in ours.array.shape)):
        place = LPS_TO_RAS @ image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose((ours.affine @ [*index, 1])[:3], place, atol=0.01)
