"""Labels of made-up series, and what another reader makes of the files written of them."""

import shutil
import subprocess
from datetime import datetime

import highdicom
import numpy as np
import pytest

from medseg.data import Label, read_dicom_series
from medseg.data.dicom.label import Algorithm, DicomLabel

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
ALGORITHM = Algorithm(
    name="covid_lung_ct_unet3d",
    version="0.1.0",
    digest="ab" * 32,
    weights="cd" * 32,
    caution="research only: trained on phantoms, not on patients",
    brief="research only, phantom weights",
)
CREATED = datetime(2026, 2, 28, 12, 30, 15, 250)
LABELS = (
    Label(value=0, name="background"),
    Label(value=1, name="lung", snomed="39607008"),
    Label(value=2, name="infection"),
    Label(value=3, name="Tumor, außen"),
)


def random_label(shape, seed=0):
    """Values 0 to 3, the first and the last slice not empty, as highdicom crops to them."""
    label = np.random.default_rng(seed).integers(0, 4, shape).astype(np.uint8)
    label[1, 2, 0] = label[2, 1, -1] = 3
    return label


def label_of(path, array=None, **options):
    """A label on the volume that a path gives, which is read as the options say."""
    volume = read_dicom_series(path, **options)
    return DicomLabel(
        array=random_label(volume.array.shape) if array is None else array,
        affine=volume.affine,
        reference=path,
        labels=LABELS,
        algorithm=ALGORITHM,
        created=CREATED,
    )


def by_source(path, planes, *, ignore_places=False):
    """`(I, J, K)`, the frames of a SEG by the slices that they refer to."""
    seg = highdicom.seg.segread(path)
    options = {
        "combine_segments": True,
        "assert_missing_frames_are_empty": True,
        # dcmqi does not say that frames lie where their sources do.
        "ignore_spatial_locations": ignore_places,
    }
    if len({plane.sop_uid for plane in planes}) == len(planes):
        uids = [plane.sop_uid for plane in planes]
        return seg.get_pixels_by_source_instance(uids, **options).transpose(2, 1, 0)
    (uid,) = {plane.sop_uid for plane in planes}
    frames = [plane.frame for plane in planes]
    return seg.get_pixels_by_source_frame(uid, frames, **options).transpose(2, 1, 0)


def assert_in_place(path, label):
    """Hold a SEG's voxels against the label's, by their places in millimetres."""
    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    voxels = np.argwhere(label.array)
    places = np.c_[voxels, np.ones(len(voxels))] @ label.affine.T @ LPS_TO_RAS
    found = (places @ np.linalg.inv(volume.affine).T)[:, :3]
    nearest = np.rint(found).astype(int)
    off_mm = np.linalg.norm((found - nearest) @ volume.affine[:3, :3].T, axis=1)
    assert off_mm.max() <= 0.01
    np.testing.assert_array_equal(volume.array[tuple(nearest.T)], label.array[tuple(voxels.T)])
    assert np.count_nonzero(volume.array) == len(voxels)


def dicom_errors(path):
    """What dicom3tools finds wrong with a file."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("no dciodvfy on this machine (Debian package dicom3tools): not validated")
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    told = run.stderr + run.stdout
    return [line for line in told.splitlines() if line.startswith("Error")]
