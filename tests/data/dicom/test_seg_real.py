"""DICOM SEG of real series: references of their own, and dcmqi, which shares no code with us."""

import shutil
import subprocess
import sys
from pathlib import Path

import highdicom
import numpy as np
import pytest

from medseg.data import Label, read_dicom_series, read_volume, write_dicom_seg
from medseg.data.dicom.label import DicomLabel
from medseg.data.dicom.outputs import write_dicom_outputs
from tests.data.dicom.builders import SHAPE, enhanced, hounsfield, rotated, save, slices
from tests.data.dicom.output_builders import (
    ALGORITHM,
    CREATED,
    assert_in_place,
    by_source,
    dicom_errors,
    label_of,
    random_label,
)

LIVER = "body_ct/dcmqi-ct-3slice"
REFERENCES = {
    "ibsi1": ("chest_ct/ibsi1-phantom/dicom", "chest_ct/ibsi1-phantom/nifti/mask/mask.nii.gz"),
    "cip": ("chest_ct/cip-ct64/dicom", "chest_ct/cip-ct64/lm-64.nrrd"),
    "liver": (f"{LIVER}/dicom", f"{LIVER}/liver_spine_seg.nrrd"),
}


def referenced(series, reference):
    """The reference on its series, its values counted up from 0."""
    volume, label = read_dicom_series(series), read_volume(reference, where="label")
    values, array = np.unique(label.array, return_inverse=True)
    return DicomLabel(
        array=array.reshape(label.shape).astype(np.uint16),
        affine=volume.affine,
        reference=series,
        labels=[Label(value=k, name=f"value {value:g}") for k, value in enumerate(values)],
        algorithm=ALGORITHM,
        created=CREATED,
    )


@pytest.mark.data
@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_comes_back_as_it_was(real_data, tmp_path, name):
    series, reference = (real_data / path for path in REFERENCES[name])
    label = referenced(series, reference)
    paths = write_dicom_outputs(label, ["dicom-seg", "dicom-sr"], tmp_path, case="a")
    planes = read_dicom_series(series).facts.planes
    np.testing.assert_array_equal(by_source(paths[0], planes), label.array)
    assert_in_place(paths[0], label)
    assert [dicom_errors(path) for path in paths] == [[], []]


@pytest.mark.data
def test_our_codes_of_the_liver_equal_dcmqis(real_data, tmp_path):
    label = referenced(real_data / LIVER / "dicom", real_data / LIVER / "liver_seg.nrrd")
    write_dicom_seg(label, tmp_path / "seg.dcm")
    planes = read_dicom_series(real_data / LIVER / "dicom").facts.planes
    theirs = real_data / LIVER / "liver_dicom_seg.dcm"
    np.testing.assert_array_equal(
        by_source(tmp_path / "seg.dcm", planes), by_source(theirs, planes, ignore_places=True)
    )
    one, other = (highdicom.seg.segread(path) for path in (tmp_path / "seg.dcm", theirs))
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "SegmentationType"):
        assert one[keyword].value == other[keyword].value
    places = [seg.get_volume_geometry().affine for seg in (one, other)]
    np.testing.assert_allclose(*places, atol=0.01)


MADE = {
    "axial": lambda: slices(hounsfield()),
    "shuffled oblique": lambda: slices(hounsfield(), rotated((90, 12, 7)))[::-1],
    "enhanced": lambda: [enhanced(hounsfield(), rotated((10, 20, 30)))],
}


@pytest.mark.parametrize("made", MADE)
def test_dcmqi_reads_every_class_in_its_place(tmp_path, made):
    beside = Path(sys.executable).parent / "segimage2itkimage"
    program = shutil.which("segimage2itkimage") or shutil.which(beside)
    if program is None:
        pytest.skip("no segimage2itkimage on this machine (pip install dcmqi): not compared")
    label = label_of(save(MADE[made](), tmp_path / "source"), random_label(SHAPE))
    write_dicom_seg(label, tmp_path / "seg.dcm")
    out = tmp_path / "out"
    out.mkdir()
    command = [program, "--inputDICOM", tmp_path / "seg.dcm", "--outputDirectory", out]
    subprocess.run([*command, "--outputType", "nrrd"], check=True, capture_output=True)
    for segment in label.segments:
        theirs = read_volume(out / f"{segment.value}.nrrd", where="label")
        voxels = np.argwhere(label.array == segment.value)
        places = np.c_[voxels, np.ones(len(voxels))] @ label.affine.T
        found = (places @ np.linalg.inv(theirs.affine).T)[:, :3]
        nearest = np.rint(found).astype(int)
        off_mm = np.linalg.norm((found - nearest) @ theirs.affine[:3, :3].T, axis=1)
        assert off_mm.max() <= 0.01
        assert theirs.array[tuple(nearest.T)].all()
        assert np.count_nonzero(theirs.array) == len(voxels)
