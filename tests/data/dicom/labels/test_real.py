"""Contours and SEGs of public data sets against their masks, and against dcmqi."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medseg.data import read_image
from medseg.data.datasets.grids import grid_problems, same_axes
from medseg.data.images.picture import read_label
from medseg.data.label_source import LabelSource
from tests.data.dicom.labels.builders import SHAPE, a_clinic, foreign_seg

SARCOMA, IBSI, LIVER = "sarcoma_ct_mr_pet", "chest_ct/ibsi1-phantom", "body_ct/dcmqi-ct-3slice"
GTV = (("GTV*", "tumour"),)
NAMES = ("background", "lung", "tumour")


def dsc(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def contours_and_mask(image, mask, reference):
    label = read_label(LabelSource(mask, image, ("background", "tumour"), GTV))
    assert label.doubts == ()
    expected = same_axes(label, read_image(reference, where="label"))
    assert grid_problems(label, expected) == ()
    return label.array > 0, expected.array > 0


@pytest.mark.data
@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
@pytest.mark.parametrize("grid", ["dicom", "nifti"])
def test_sarcoma_contours_are_the_masks_of_the_data_set(real_data, modality, grid):
    folder = real_data / SARCOMA / "dicom/STS_008" / modality
    (nifti,) = (real_data / SARCOMA).rglob(f"STS_008/{modality}_image.nii.gz")
    image = folder / "image" if grid == "dicom" else nifti
    mask = nifti.with_name(f"{modality}_mask.nii.gz")
    found, expected = contours_and_mask(image, folder / "mask", mask)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.data
def test_the_phantoms_contours_are_its_mask_but_for_one_voxel(real_data):
    """One centre lies on the contour, to the fourth decimal of a pixel."""
    folder = real_data / IBSI
    found, expected = contours_and_mask(
        folder / "dicom/image", folder / "dicom/mask", folder / "nifti/mask/mask.nii.gz"
    )
    assert np.count_nonzero(found != expected) == 1
    assert dsc(found, expected) > 0.99999


@pytest.mark.data
def test_the_liver_of_dcmqi_is_the_mask_that_it_was_made_of(real_data):
    folder = real_data / LIVER
    label = read_label(
        LabelSource(folder / "liver_dicom_seg.dcm", folder / "dicom", ("background", "liver"))
    )
    expected = same_axes(label, read_image(folder / "liver_seg.nrrd", where="label"))
    assert grid_problems(label, expected) == ()
    np.testing.assert_array_equal(label.array, expected.array)


def dcmqi(program, *arguments):
    """Run a program of dcmqi, or skip."""
    found = shutil.which(program) or shutil.which(Path(sys.executable).with_name(program))
    if found is None:
        pytest.skip(f"no {program} on this machine (pip install dcmqi): not compared")
    subprocess.run([found, *arguments], check=True, capture_output=True)


def two_segments(tmp_path, kind):
    clinic = a_clinic(tmp_path)
    array = np.random.default_rng(5).integers(0, 3, SHAPE).astype(np.uint8)
    return clinic, array, foreign_seg(clinic, array.T, ["Lung", "Tumour"], kind)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_dcmqi_reads_the_same_voxels(tmp_path, kind):
    clinic, _, path = two_segments(tmp_path, kind)
    label = clinic.read(path, NAMES)
    out = tmp_path / "out"
    out.mkdir()
    words = ("--inputDICOM", path, "--outputDirectory", out, "--outputType", "nrrd")
    dcmqi("segimage2itkimage", *words)
    # A label map is one file of values, binary segments are a file each.
    for file in sorted(out.glob("*.nrrd")):
        theirs = same_axes(label, read_image(file, where="label"))
        assert grid_problems(label, theirs) == ()
        own = label.array if kind == "LABELMAP" else label.array == int(file.stem)
        np.testing.assert_array_equal(theirs.array if kind == "LABELMAP" else theirs.array > 0, own)
    assert len(list(out.glob("*.nrrd"))) == (1 if kind == "LABELMAP" else 2)


def test_a_label_map_that_dcmqi_made_of_binary_segments_is_read(tmp_path):
    clinic, array, path = two_segments(tmp_path, "BINARY")
    out = tmp_path / "labelmap.dcm"
    dcmqi("bin2labelsegimage", "--inputDICOM", path, "--outputDICOM", out)
    assert pydicom.dcmread(out).SegmentationType == "LABELMAP"
    np.testing.assert_array_equal(clinic.read(out, NAMES).array, array)
