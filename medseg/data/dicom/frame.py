"""Slices in the header of a DICOM file: size, position and scale of values of each.

A classic file holds one slice, an enhanced multi-frame file a whole scan; both become the same kind
of frames here, so that later code handles one kind only.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, Any

from pydicom.dataset import Dataset

from medseg.data.dicom.tags import (
    ElementError,
    first_text,
    lenient_number,
    numbers,
    sequence,
    whole_number,
)

__all__ = ["Frame", "Identifiers", "header_frames"]


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Identifiers that another file states when it refers to this one, besides the SOPInstanceUID.

    Attributes:
        sop_class_uid: SOPClassUID.
        study_uid: StudyInstanceUID.
        patient: Digest of the PatientID, by which slices of two patients are told apart; must not
            be shown, as an ID can be guessed from it.
        frame_of_reference_uid: FrameOfReferenceUID.
        is_multiframe: Whether its frames are referred to by number.
        kernel: ConvolutionKernel, by which reconstructions of one scan differ.
    """

    sop_class_uid: str
    study_uid: str
    patient: str = field(repr=False)
    frame_of_reference_uid: str
    is_multiframe: bool
    kernel: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice.

    Attributes:
        file: Name of its file in the input; must not be shown, it may name a patient.
        index: Index of the frame in that file, from 0.
        number: InstanceNumber, or in a multi-frame file the frame's number from 1.
        sop_uid: SOPInstanceUID of its file.
        shape: Columns and rows.
        position: ImagePositionPatient, LPS+ in mm, or None.
        orientation: ImageOrientationPatient, or None.
        pixel_spacing: Between rows and between columns, in mm, or None.
        thickness_mm: SliceThickness, or None.
        slope: RescaleSlope.
        intercept: RescaleIntercept.
        is_rescaled: Whether it states either of them.
        identifiers: Identifiers of its file; empty texts where they are not stated.
    """

    file: str
    index: int
    number: int | None
    sop_uid: str
    shape: tuple[int, int]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    thickness_mm: float | None
    slope: float
    intercept: float
    is_rescaled: bool
    identifiers: Identifiers

    @property
    def is_placed(self) -> bool:
        """Whether the positions of its pixels are known."""
        return None not in (self.position, self.orientation, self.pixel_spacing)


def header_frames(header: Dataset, file: str, stream: IO[bytes]) -> tuple[Frame, ...]:
    """The slices that a header describes; none if it is not an image's.

    Args:
        header: With functional groups, without pixels.
        file: Name of the file in the input.
        stream: The file, whose length bounds the number of frames.

    Raises:
        ElementError: If an element that a slice needs cannot be used.
    """
    rows, columns = header.get("Rows"), header.get("Columns")
    if not rows or not columns:
        return ()
    count = whole_number(header, "NumberOfFrames") or 1
    shared = sequence(header, "SharedFunctionalGroupsSequence")[:1]
    each = sequence(header, "PerFrameFunctionalGroupsSequence")
    if each and len(each) != count:
        raise ElementError(
            f"NumberOfFrames is {count:.6g}, but PerFrameFunctionalGroupsSequence has {len(each)}"
        )
    if not each and count == 1:
        return (_frame(header, (header,), file, (0, lenient_number(header, "InstanceNumber"))),)
    if count < 1 or count > _length(stream):
        raise ElementError("NumberOfFrames is not what the file can hold")
    # Several frames that share one position do not have a known position each.
    places = [(own, *shared) for own in each] or [shared] * count
    return tuple(_frame(header, groups, file, (i, i + 1)) for i, groups in enumerate(places))


def _length(stream: IO[bytes]) -> int:
    # Any frame takes a byte at least. A zip's member is unpacked once more for this, if it has
    # several frames.
    return stream.seek(0, io.SEEK_END)


def _frame(
    header: Dataset, groups: tuple[Dataset, ...], file: str, place: tuple[int, int | None]
) -> Frame:
    def find(macro: str, keyword: str, count: int) -> tuple[float, ...] | None:
        holders = [item for group in groups for item in (*sequence(group, macro)[:1], group)]
        candidates = (numbers(holder, keyword, count) for holder in holders)
        return next((values for values in candidates if values is not None), None)

    measures = "PixelMeasuresSequence"
    thickness: Any = find(measures, "SliceThickness", 1)
    slope, intercept = _rescaling(header, find)
    return Frame(
        file=file,
        index=place[0],
        number=place[1],
        sop_uid=first_text(header, "SOPInstanceUID"),
        shape=(int(header.Columns), int(header.Rows)),
        position=find("PlanePositionSequence", "ImagePositionPatient", 3),
        orientation=find("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        pixel_spacing=find(measures, "PixelSpacing", 2),
        thickness_mm=thickness[0] if thickness else None,
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        is_rescaled=slope is not None or intercept is not None,
        identifiers=_identifiers(
            first_text(header, "SOPClassUID"),
            first_text(header, "StudyInstanceUID"),
            first_text(header, "PatientID"),
            first_text(header, "FrameOfReferenceUID"),
            "NumberOfFrames" in header or "PerFrameFunctionalGroupsSequence" in header,
            first_text(header, "ConvolutionKernel"),
        ),
    )


def _rescaling(
    header: Dataset, find: Callable[[str, str, int], tuple[float, ...] | None]
) -> tuple[float | None, float | None]:
    """Slope and intercept, where stated; an empty one beside the other is not the neutral one.

    Raises:
        ElementError: If the slope is 0, or one is empty and the other is not.
    """
    keywords = ("RescaleSlope", "RescaleIntercept")
    slope, intercept = (
        find("PixelValueTransformationSequence", keyword, 1) or numbers(header, keyword, 1)
        for keyword in keywords
    )
    for keyword, value, other in zip(keywords, (slope, intercept), (intercept, slope), strict=True):
        if value is None and other is not None and keyword in header:
            raise ElementError(f"{keyword} is empty")
    if slope == (0.0,):
        raise ElementError("RescaleSlope is 0")
    return slope[0] if slope else None, intercept[0] if intercept else None


@lru_cache(maxsize=256)
def _identifiers(
    sop_class: str,
    study: str,
    patient_id: str,
    frame_of_reference: str,
    is_multiframe: bool,  # noqa: FBT001
    kernel: str,
) -> Identifiers:
    """Share equal values among the slices of a series, of which there may be thousands."""
    patient = hashlib.sha256(patient_id.encode("utf-8", "surrogateescape")).hexdigest()
    return Identifiers(sop_class, study, patient, frame_of_reference, is_multiframe, kernel)
