"""DICOM SEG: its segments, and where its frames lie.

Reference:
    DICOM PS3.3, C.8.20 Segmentation.
    https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_C.8.20.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from medseg.data.dicom.labels.grid import affine_lps
from medseg.data.dicom.labels.label_file import label_error, one_line, read_label_header
from medseg.data.dicom.tags import (
    ElementError,
    first_text,
    lenient_number,
    numbers,
    sequence,
)

__all__ = ["SegFrame", "Segmentation", "read_segmentation"]

KEYWORDS = [
    "SegmentationType",
    "SegmentationFractionalType",
    "MaximumFractionalValue",
    "SegmentSequence",
    "FrameOfReferenceUID",
    "ReferencedSeriesSequence",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
_TYPES = ("BINARY", "FRACTIONAL", "LABELMAP")


@dataclass(frozen=True, eq=False)
class SegFrame:
    """One frame.

    Attributes:
        index: Of the frame in the file, from 0.
        segment: Number of its segment; 0 in a label map, whose pixels are the numbers.
        affine: `(4, 4)`, from column, row and one more plane to millimetres, RAS+.
    """

    index: int
    segment: int
    affine: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Header of a SEG.

    Attributes:
        kind: `BINARY`, `FRACTIONAL` or `LABELMAP`.
        segments: By number, the name of each, rising.
        frames: In the order of the file.
        columns: Pixels of a row.
        rows: Rows.
        most: Value of a fractional pixel that is wholly inside.
        step_mm: SpacingBetweenSlices; 0 if it is not stated.
        frame_of_reference: FrameOfReferenceUID; empty if it is not stated.
        series_uids: Series that it was made of.
        sop_uids: Images, likewise.
    """

    kind: str
    segments: dict[int, str]
    frames: tuple[SegFrame, ...]
    columns: int
    rows: int
    most: int
    step_mm: float
    frame_of_reference: str
    series_uids: frozenset[str]
    sop_uids: frozenset[str]


def read_segmentation(file: Path) -> Segmentation:
    """Read the header of a SEG.

    Raises:
        InputError: If it is damaged, of a type that is not known, or its frames have no place.
    """
    header = read_label_header(file, KEYWORDS)
    with one_line(file):
        return _segmentation(file, header)


def _segmentation(file: Path, header: Dataset) -> Segmentation:
    kind = first_text(header, "SegmentationType")
    if kind not in _TYPES:
        what = f"its SegmentationType is {kind or 'missing'}, not one of {', '.join(_TYPES)}"
        raise label_error(file, what, "export it again")
    try:
        frames = tuple(_frames(header, kind))
        step_mm = max(_step(item) for item in _shared_first(header))
    except ElementError as error:
        raise label_error(file, f"its frames have no place: {error}", "export it again") from None
    stated = lenient_number(header, "NumberOfFrames")
    if not frames or stated != len(frames):
        what = f"states {stated} frames, and where {len(frames)} of them lie"
        raise label_error(file, what, "copy or export it again")
    referenced = sequence(header, "ReferencedSeriesSequence")
    images = (one for item in referenced for one in sequence(item, "ReferencedInstanceSequence"))
    return Segmentation(
        kind=kind,
        segments=dict(sorted(_segments(header))),
        frames=frames,
        columns=_whole(header, "Columns"),
        rows=_whole(header, "Rows"),
        most=_whole(header, "MaximumFractionalValue") or 255,
        step_mm=step_mm,
        frame_of_reference=first_text(header, "FrameOfReferenceUID"),
        series_uids=frozenset(first_text(item, "SeriesInstanceUID") for item in referenced),
        sop_uids=frozenset(first_text(item, "ReferencedSOPInstanceUID") for item in images),
    )


def _segments(header: Dataset) -> Iterator[tuple[int, str]]:
    for item in sequence(header, "SegmentSequence"):
        number = _whole(item, "SegmentNumber")
        # A label map may list its background as segment 0.
        if number > 0:
            yield number, str(item.get("SegmentLabel") or "").strip()


def _whole(dataset: Dataset, keyword: str) -> int:
    """Value of a binary integer; 0 if it is absent or several."""
    value = dataset.get(keyword)
    return value if isinstance(value, int) else 0


def _shared_first(header: Dataset) -> list[Dataset]:
    """The shared functional groups, and those of the first frame."""
    shared = sequence(header, "SharedFunctionalGroupsSequence")[:1]
    return [*shared, *sequence(header, "PerFrameFunctionalGroupsSequence")[:1]] or [Dataset()]


def _step(groups: Dataset) -> float:
    measures = sequence(groups, "PixelMeasuresSequence")
    found = numbers(measures[0], "SpacingBetweenSlices", 1) if measures else None
    return 0.0 if found is None else found[0]


def _frames(header: Dataset, kind: str) -> Iterator[SegFrame]:
    shared = sequence(header, "SharedFunctionalGroupsSequence")[:1]
    for index, own in enumerate(sequence(header, "PerFrameFunctionalGroupsSequence")):
        groups = (own, *shared)
        segment = 0
        if kind != "LABELMAP":
            identified = _item(groups, "SegmentIdentificationSequence")
            segment = _whole(identified, "ReferencedSegmentNumber")
        yield SegFrame(index, segment, _affine(groups))


def _affine(groups: Sequence[Dataset]) -> NDArray[np.float64]:
    orientation = _stated(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    position = _stated(groups, "PlanePositionSequence", "ImagePositionPatient", 3)
    row_mm, column_mm = _stated(groups, "PixelMeasuresSequence", "PixelSpacing", 2)
    along_row, down = orientation[:3], orientation[3:]
    affine = np.eye(4)
    affine[:3, 0] = along_row * column_mm
    affine[:3, 1] = down * row_mm
    affine[:3, 2] = np.cross(along_row, down)
    affine[:3, 3] = position
    if abs(np.linalg.det(affine)) < 1e-6:
        raise ElementError("ImageOrientationPatient or PixelSpacing spans no plane")
    return affine_lps(affine)


def _stated(groups: Sequence[Dataset], group: str, keyword: str, count: int) -> NDArray[np.float64]:
    found = numbers(_item(groups, group), keyword, count)
    if found is None:
        raise ElementError(f"{keyword} is missing")
    return np.array(found)


def _item(groups: Sequence[Dataset], group: str) -> Dataset:
    """The first item of a functional group, a frame's own before the shared one."""
    return next((found[0] for one in groups if (found := sequence(one, group))), Dataset())
