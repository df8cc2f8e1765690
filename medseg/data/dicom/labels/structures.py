"""RTSTRUCT: the ROIs of a structure set, with their contours in millimetres.

Reference:
    DICOM PS3.3, C.8.8.5 Structure Set Module, C.8.8.6 ROI Contour Module.
    https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_C.8.8.6.html
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from medseg.data.dicom.labels.label_file import label_error, one_line, read_label_header
from medseg.data.dicom.tags import first_text, lenient_number, sequence, texts

__all__ = ["Contour", "Roi", "StructureSet", "read_structures"]

_KEYWORDS = [
    "FrameOfReferenceUID",
    "ReferencedFrameOfReferenceSequence",
    "StructureSetROISequence",
    "ROIContourSequence",
]


@dataclass(frozen=True, eq=False)
class Contour:
    """One contour: its type, as CLOSED_PLANAR, and its points `(N, 3)`, LPS+ in mm."""

    kind: str
    points_mm: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Roi:
    """One ROI: its name, the frame of reference that it lies in, its contours."""

    name: str
    frame_of_reference: str
    contours: tuple[Contour, ...]


@dataclass(frozen=True, eq=False)
class StructureSet:
    """All ROIs by number, and the series that they were drawn on."""

    rois: dict[int, Roi]
    series_uids: frozenset[str]


def read_structures(file: Path) -> StructureSet:
    """Read an RTSTRUCT.

    Raises:
        InputError: If it is damaged, or a contour is not a list of points.
    """
    header = read_label_header(file, _KEYWORDS, pixels="read")
    with one_line(file):
        return _structures(file, header)


def _structures(file: Path, header: Dataset) -> StructureSet:
    if "ROIContourSequence" not in header:
        raise label_error(file, "holds no contours (ROIContourSequence)", "export it again")
    contours: defaultdict[int, list[Contour]] = defaultdict(list)
    for item in sequence(header, "ROIContourSequence"):
        number = lenient_number(item, "ReferencedROINumber")
        if number is not None:
            contours[number] += _contours(item, file)
    rois: dict[int, Roi] = {}
    for item in sequence(header, "StructureSetROISequence"):
        number = lenient_number(item, "ROINumber")
        if number is not None:
            frame = first_text(item, "ReferencedFrameOfReferenceUID")
            name = _name(item)
            rois[number] = Roi(name, frame, tuple(contours[number]))
    return StructureSet(rois, frozenset(_series(header)))


def _name(item: Dataset) -> str:
    return str(item.get("ROIName") or "").strip()


def _contours(item: Dataset, file: Path) -> Iterator[Contour]:
    for contour in sequence(item, "ContourSequence"):
        try:
            numbers = np.array(texts(contour, "ContourData"), dtype=np.float64)
            points = numbers.reshape(-1, 3)
        except ValueError:
            what = "ContourData must be numbers, three for each point"
            raise label_error(file, what, "export it again") from None
        if not np.isfinite(points).all():
            raise label_error(file, "ContourData must be finite numbers", "export it again")
        if len(points):
            yield Contour(first_text(contour, "ContourGeometricType"), points)


def _series(header: Dataset) -> Iterator[str]:
    for frame in sequence(header, "ReferencedFrameOfReferenceSequence"):
        for study in sequence(frame, "RTReferencedStudySequence"):
            for series in sequence(study, "RTReferencedSeriesSequence"):
                yield first_text(series, "SeriesInstanceUID")
