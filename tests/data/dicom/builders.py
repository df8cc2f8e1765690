"""DICOM series as scanners write them, and broken ones, made with pydicom alone."""

from collections import Counter

import gdcm
import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

LPS = np.array([-1.0, -1.0, 1.0])
# Pixels of 2 x 1.5 mm, 2.5 mm between slices.
AFFINE = np.array([[-2.0, 0, 0, 40], [0, -1.5, 0, 30], [0, 0, 2.5, -20], [0, 0, 0, 1.0]])
SHAPE = (7, 6, 10)
INTERCEPT_HU = -8192


def hounsfield(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).integers(-1024, 2000, shape).astype(np.int16)


def uid(text):
    return generate_uid(entropy_srcs=[text])


def rotated(angles_degrees, affine=AFFINE):
    """The affine turned about x, then y, then z, around the origin."""
    turn = np.eye(4)
    for axis, angle in enumerate(np.radians(angles_degrees)):
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        step = np.eye(4)
        step[i, i] = step[j, j] = np.cos(angle)
        step[j, i], step[i, j] = np.sin(angle), -np.sin(angle)
        turn = step @ turn
    return turn @ affine


def tilted(degrees, affine=AFFINE):
    """The affine with its slice axis leaning towards the rows, the distance of slices kept."""
    out = affine.copy()
    rows = affine[:3, 1] / np.linalg.norm(affine[:3, 1])
    out[:3, 2] += rows * np.tan(np.radians(degrees)) * np.linalg.norm(affine[:3, 2])
    return out


def linear_field(affine, shape=SHAPE):
    """Values that change evenly in space, whole numbers of 1/64 so that rescaling keeps them."""
    return field_at(affine, shape).round().astype(np.int16)


def field_at(affine, shape):
    """40 x + 30 y - 20 z in RAS+ mm at every voxel, `(I, J, K)`."""
    grid = np.stack([*np.indices(shape), np.ones(shape)])
    return np.tensordot(np.array([40.0, 30, -20, 0]) @ affine, grid, axes=1)


def decimals(values):
    return [f"{value:.10f}"[:16] for value in values]


def base(series="a", modality="CT"):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.PatientName = "Nobody"
    ds.PatientID = "0"
    ds.StudyInstanceUID = uid("study")
    ds.SeriesInstanceUID = uid(series)
    ds.FrameOfReferenceUID = uid("frame")
    ds.Modality = modality
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    return ds


def identify(ds, sop_class, name):
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(name)


def geometry(affine, k):
    """Position, orientation and pixel spacing of slice `k`, as DICOM states them."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = (affine[:3, :2] / spacing[:2]).T * LPS
    position = (affine @ [0, 0, k, 1])[:3] * LPS
    return decimals(position), decimals(cosines.ravel()), decimals(spacing[[1, 0]])


def slices(array, affine=AFFINE, series="a", modality="CT"):
    """One classic CT slice for each K, numbered from 1; `affine` may lean."""
    made = []
    for k in range(array.shape[2]):
        ds = base(series, modality)
        identify(ds, CTImageStorage, f"{series} {k}")
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.InstanceNumber = k + 1
        ds.Columns, ds.Rows = array.shape[:2]
        ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing = geometry(affine, k)
        ds.SliceThickness = 2.5
        ds.RescaleSlope, ds.RescaleIntercept = 1, INTERCEPT_HU
        pixels = (array[:, :, k].astype(int) - INTERCEPT_HU).astype("<u2")
        ds.add_new("PixelData", "OW", pixels.T.tobytes())
        made.append(ds)
    return made


def enhanced(array, affine=AFFINE, order=None, slopes=None):
    """One enhanced multi-frame CT file; frames in `order`, each with a slope of its own."""
    order = range(array.shape[2]) if order is None else order
    slopes = np.ones(array.shape[2]) if slopes is None else slopes
    ds = base()
    identify(ds, EnhancedCTImageStorage, "enhanced")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.InstanceNumber = 1
    ds.Columns, ds.Rows, ds.NumberOfFrames = *array.shape[:2], len(order)
    _, cosines, spacing = geometry(affine, 0)
    shared = Dataset()
    shared.PlaneOrientationSequence = [item(ImageOrientationPatient=cosines)]
    shared.PixelMeasuresSequence = [item(PixelSpacing=spacing, SliceThickness="2.5")]
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    groups, frames = [], []
    for k in order:
        rescale = item(
            RescaleSlope=str(slopes[k]), RescaleIntercept=str(INTERCEPT_HU), RescaleType="HU"
        )
        frame = Dataset()
        frame.PlanePositionSequence = [item(ImagePositionPatient=geometry(affine, k)[0])]
        frame.PixelValueTransformationSequence = [rescale]
        groups.append(frame)
        stored = (array[:, :, k].astype(int) - INTERCEPT_HU) / slopes[k]
        frames.append(stored.astype("<u2").T.tobytes())
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    ds.add_new("PixelData", "OW", b"".join(frames))
    return ds


def item(**values):
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def save(datasets, folder, name="{:03d}.dcm"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, ds in enumerate(datasets):
        ds.save_as(folder / name.format(number), enforce_file_format=True)
    return folder


def recode(path, syntax):
    """Compress a file in place with gdcm, e.g. `JPEGLosslessProcess14_1`."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetFileName(str(path))
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def count_reads(monkeypatch):
    """Counts from here on how often a file is read as `header` or as `pixels`."""
    counts, read = Counter(), pydicom.dcmread

    def counted(stream, **options):
        counts["header" if options.get("stop_before_pixels") else "pixels"] += 1
        return read(stream, **options)

    monkeypatch.setattr(pydicom, "dcmread", counted)
    return counts
