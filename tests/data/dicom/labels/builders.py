"""Images with structure sets and segmentations as clinics have them, made with pydicom alone."""

from dataclasses import dataclass

import highdicom
import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from medseg.data import Label
from medseg.data.dicom.label import DicomLabel
from medseg.data.images.picture import read_label
from medseg.data.label_source import LabelSource
from tests.data.dicom.builders import (
    AFFINE,
    LPS,
    base,
    hounsfield,
    identify,
    item,
    save,
    slices,
    uid,
)
from tests.data.dicom.output_builders import ALGORITHM, CREATED

SHAPE = (24, 20, 8)
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"


@dataclass
class Clinic:
    """A series, and labels of it that the tests write."""

    folder: object
    affine: np.ndarray

    @property
    def image(self):
        return self.folder / "ct"

    def structures(self, rois, name="rs.dcm", **changes):
        ds = structure_set(rois, self.affine)
        for keyword, value in changes.items():
            setattr(ds, keyword, value)
        ds.save_as(self.folder / name, enforce_file_format=True)
        return self.folder / name

    def read(self, path, classes=("background", "tumour"), rois=None, image=None):
        patterns = tuple((rois or {}).items())
        return read_label(LabelSource(path, image or self.image, tuple(classes), patterns))


def a_clinic(folder, affine=AFFINE, shape=SHAPE, seed=0):
    save(slices(hounsfield(shape, seed), affine), folder / "ct")
    return Clinic(folder, affine)


def contoured_patients(folder):
    """`anna` and `bert`: a CT series each, and contours of a tumour in a file whose name is a UID.

    The tumour has 3 * 16 voxels in anna, and 3 * 25 in bert.
    """
    for number, name in enumerate(("anna", "bert")):
        series = slices(hounsfield(SHAPE, number), series=name)
        save(series, folder / name / "ct", "{:03d}.dcm")
        contours = [square(2.5, 6.5 + number, k) for k in (2, 3, 4)]
        rois = {f"GTV_{name}": contours, "BODY": [square(0.5, 15.5, k) for k in range(8)]}
        ds = structure_set(rois, AFFINE)
        study = ds.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        study.RTReferencedSeriesSequence[0].SeriesInstanceUID = uid(name)
        ds.save_as(folder / name / f"RS.{uid(name)[-9:]}.dcm", enforce_file_format=True)
    return folder


def square(low, high, k, axis=2):
    """The corners of a square from `low` to `high` in both axes of slice `k`, in voxels."""
    flat = [(low, low), (high, low), (high, high), (low, high)]
    return [np.insert(np.array(point, float), axis, k) for point in flat]


def contour(points, affine, kind="CLOSED_PLANAR"):
    """A contour whose points are given in voxels."""
    placed = np.c_[np.array(points, float), np.ones(len(points))] @ affine.T
    numbers = (placed[:, :3] * LPS).ravel()
    return item(
        ContourGeometricType=kind,
        NumberOfContourPoints=len(points),
        ContourData=[f"{number:.8f}"[:16] for number in numbers],
    )


def structure_set(rois, affine):
    """ROIs by name, each a list of contours in voxels, or of ready items."""
    ds = base("structures", "RTSTRUCT")
    identify(ds, STRUCTURES, "structures")
    for number, (name, contours) in enumerate(rois.items(), start=1):
        made = [one if isinstance(one, Dataset) else contour(one, affine) for one in contours]
        add(ds, "StructureSetROISequence", a_roi(number, name))
        add(
            ds,
            "ROIContourSequence",
            item(ReferencedROINumber=number, ContourSequence=Sequence(made)),
        )
    series = item(SeriesInstanceUID=uid("a"))
    study = item(RTReferencedSeriesSequence=Sequence([series]))
    frame = item(FrameOfReferenceUID=uid("frame"), RTReferencedStudySequence=Sequence([study]))
    ds.ReferencedFrameOfReferenceSequence = Sequence([frame])
    del ds.FrameOfReferenceUID
    return ds


def a_roi(number, name):
    return item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=uid("frame"))


def add(ds, keyword, one):
    setattr(ds, keyword, Sequence([*(ds.get(keyword) or []), one]))


def a_label(clinic, array, names=("background", "lung", "small tumour", "rib")):
    """A label of medseg's on the clinic's series."""
    labels = [Label(value=value, name=name) for value, name in enumerate(names)]
    return DicomLabel(
        array=array,
        affine=clinic.affine,
        reference=clinic.image,
        labels=labels,
        algorithm=ALGORITHM,
        created=CREATED,
    )


def foreign_seg(clinic, pixels, names, kind="BINARY", path="foreign.dcm"):
    """A SEG by highdicom: `(K, rows, columns)` of numbers, or `(K, rows, columns, segments)`."""
    files = sorted(clinic.image.iterdir())
    images = [pydicom.dcmread(file) for file in files]
    for ds in images:
        ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
        ds.PatientName = ""
        ds.AccessionNumber = ds.StudyID = ds.ReferringPhysicianName = ""
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=codes.SCT.Tissue,
            segmented_property_type=codes.SCT.Lung,
            algorithm_type="MANUAL",
        )
        for number, name in enumerate(names, start=1)
    ]
    seg = highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=uid("foreign series"),
        series_number=1,
        sop_instance_uid=uid("foreign"),
        instance_number=1,
        manufacturer="nobody",
        manufacturer_model_name="nothing",
        software_versions="1",
        device_serial_number="1",
        max_fractional_value=200,
    )
    seg.save_as(clinic.folder / path)
    return clinic.folder / path
