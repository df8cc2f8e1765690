"""Header of one DICOM file: its type, and the position of each frame.

A classic file holds one slice, an enhanced multi-frame file a whole scan; both become the same kind
of frames here, so that later code handles one kind only.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, cast

import pydicom
from pydicom.dataset import Dataset

from medseg.data.dicom.input import HEAD_BYTES, has_dicom_magic
from medseg.data.dicom.tags import first_text, numbers, quiet_pydicom, sequence, texts, whole_number

__all__ = ["Damaged", "Frame", "Identifiers", "Instance", "read_instance"]

KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "ImageType",
    "InstanceNumber",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
DIRECTORY_STORAGE = "1.2.840.10008.1.3.10"
UID = re.compile(r"[0-9.]{3,64}")
# DICOM's defined terms for modalities, including retired ones that are still in use.
TERMS = (
    "ANN AR ASMT AU BDUS BI BMD CD CFM CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG "
    "EMG EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM "
    "OCT OP OPM OPT OPTBSV OPTENF OPTRSV OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE "
    "RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF ST STAIN "
    "TEXTUREMAP TG US VA VF VL XA XAPROTOCOL XC"
)
MODALITIES = frozenset(TERMS.split())
# Files without a preamble begin with an element of one of these groups.
BARE_STARTS = (b"\x02\x00", b"\x08\x00")


class Damaged(Exception):  # noqa: N818 - a finding, turned into an error where it matters
    """A DICOM file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Identifiers that another file states when it refers to this one, besides the SOPInstanceUID.

    Attributes:
        sop_class_uid: SOPClassUID.
        study_uid: StudyInstanceUID.
        frame_of_reference_uid: FrameOfReferenceUID.
        is_multiframe: Whether its frames are referred to by number.
    """

    sop_class_uid: str
    study_uid: str
    frame_of_reference_uid: str
    is_multiframe: bool


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
    identifiers: Identifiers

    @property
    def is_placed(self) -> bool:
        """Whether the positions of its pixels are known."""
        return None not in (self.position, self.orientation, self.pixel_spacing)


@dataclass(frozen=True)
class Instance:
    """One DICOM file.

    Attributes:
        file: Its name in the input; must not be shown, it may name a patient.
        series_uid: SeriesInstanceUID.
        modality: Of the series, e.g. `CT`.
        image_type: ImageType, e.g. `ORIGINAL`, `PRIMARY`, `LOCALIZER`.
        is_grey: Whether it has one number per pixel.
        has_lut: Whether values are mapped by a lookup table instead of slope and intercept.
        frames: Its slices; empty if it is not an image.
    """

    file: str
    series_uid: str
    modality: str
    image_type: tuple[str, ...]
    is_grey: bool
    has_lut: bool
    frames: tuple[Frame, ...]


def read_instance(stream: IO[bytes], file: str) -> Instance | None:
    """Read the header of a file, up to its pixels.

    Returns:
        The header, or None if the file is not DICOM, or a DICOMDIR.

    Raises:
        Damaged: If it is DICOM but cannot be read.
    """
    head = stream.read(HEAD_BYTES)
    marked = has_dicom_magic(head)
    if not marked and head[:2] not in BARE_STARTS:
        return None
    stream.seek(0)
    try:
        with quiet_pydicom():
            header = cast("Any", pydicom).dcmread(
                stream, stop_before_pixels=True, force=True, specific_tags=KEYWORDS
            )
            return _instance(header, file)
    except Exception:  # a damaged header makes pydicom raise almost anything
        if not marked:
            return None
        raise Damaged from None


def _instance(header: Dataset, file: str) -> Instance | None:
    if DIRECTORY_STORAGE in (
        first_text(header, "SOPClassUID"),
        getattr(header, "file_meta", Dataset()).get("MediaStorageSOPClassUID"),
    ):
        return None
    series_uid, modality = (first_text(header, key) for key in ("SeriesInstanceUID", "Modality"))
    # Both are shown to the user, so they must be valid and not arbitrary text.
    if not UID.fullmatch(series_uid):
        raise Damaged
    photometric = first_text(header, "PhotometricInterpretation")
    return Instance(
        file=file,
        series_uid=series_uid,
        modality=modality if modality in MODALITIES else "",
        image_type=texts(header, "ImageType"),
        is_grey=header.get("SamplesPerPixel", 1) == 1 and not photometric.startswith("PALETTE"),
        has_lut=bool(sequence(header, "ModalityLUTSequence")),
        frames=_frames(header, file),
    )


def _frames(header: Dataset, file: str) -> tuple[Frame, ...]:
    rows, columns = header.get("Rows"), header.get("Columns")
    if not rows or not columns:
        return ()
    count = whole_number(header, "NumberOfFrames") or 1
    shared = sequence(header, "SharedFunctionalGroupsSequence")[:1]
    each = sequence(header, "PerFrameFunctionalGroupsSequence")
    if each and len(each) != count:
        raise Damaged
    if not each and count == 1:
        number = whole_number(header, "InstanceNumber")
        return (_frame(header, (header,), file, (0, number)),)
    # Several frames that share one position do not have a known position each.
    places = [(own, *shared) for own in each] or [shared] * count
    return tuple(_frame(header, groups, file, (i, i + 1)) for i, groups in enumerate(places))


def _frame(
    header: Dataset, groups: tuple[Dataset, ...], file: str, place: tuple[int, int | None]
) -> Frame:
    def find(macro: str, keyword: str, count: int) -> tuple[float, ...] | None:
        holders = [item for group in groups for item in (*sequence(group, macro)[:1], group)]
        candidates = (numbers(holder, keyword, count) for holder in holders)
        return next((values for values in candidates if values is not None), None)

    measures, rescale = "PixelMeasuresSequence", "PixelValueTransformationSequence"
    thickness: Any = find(measures, "SliceThickness", 1)
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
        slope=(find(rescale, "RescaleSlope", 1) or numbers(header, "RescaleSlope", 1) or (1.0,))[0],
        intercept=(
            find(rescale, "RescaleIntercept", 1) or numbers(header, "RescaleIntercept", 1) or (0.0,)
        )[0],
        identifiers=_identifiers(
            first_text(header, "SOPClassUID"),
            first_text(header, "StudyInstanceUID"),
            first_text(header, "FrameOfReferenceUID"),
            "NumberOfFrames" in header or "PerFrameFunctionalGroupsSequence" in header,
        ),
    )


@lru_cache(maxsize=256)
def _identifiers(
    sop_class: str,
    study: str,
    frame_of_reference: str,
    is_multiframe: bool,  # noqa: FBT001
) -> Identifiers:
    """Share equal values among the slices of a series, of which there may be thousands."""
    return Identifiers(sop_class, study, frame_of_reference, is_multiframe)
