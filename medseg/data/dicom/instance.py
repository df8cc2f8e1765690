"""Header of one DICOM file: which series it belongs to, what kind of image it is, its slices."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import IO, Literal

from pydicom.dataset import Dataset
from pydicom.uid import UID as UidName  # noqa: N811 - a text that knows its name

from medseg.data.dicom.dataset import InflationError, read_dataset
from medseg.data.dicom.frame import Frame, header_frames
from medseg.data.dicom.input import HEAD_BYTES, has_dicom_magic
from medseg.data.dicom.tags import (
    ElementError,
    first_text,
    lenient_number,
    quiet_pydicom,
    sequence,
    texts,
)

__all__ = ["NO_SIZE", "Damaged", "Instance", "UidOrigin", "is_uid", "read_instance"]

UidOrigin = Literal["stated", "made"]
KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "PatientID",
    "Modality",
    "ImageType",
    "SeriesNumber",
    "InstanceNumber",
    "ImagesInAcquisition",
    "NumberOfSeriesRelatedInstances",
    "NumberOfSlices",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "ConvolutionKernel",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
DIRECTORY_STORAGE = "1.2.840.10008.1.3.10"
UID = re.compile(r"[0-9]+(\.[0-9]+)+")
UID_LENGTH = 64
NO_SIZE = "Rows or Columns is missing"
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
    """A DICOM file that cannot be read; the message says why, if that is known."""


@dataclass(frozen=True)
class Instance:
    """One DICOM file.

    Attributes:
        file: Its name in the input; must not be shown, it may name a patient.
        series_uid: SeriesInstanceUID, or one that was made in place of an invalid one.
        uid_origin: Which of them.
        modality: Of the series, e.g. `CT`.
        image_type: ImageType, e.g. `ORIGINAL`, `PRIMARY`, `LOCALIZER`.
        is_grey: Whether it has one number per pixel.
        has_lut: Whether values are mapped by a lookup table instead of slope and intercept.
        stated: Number of slices of the series that the header speaks of; 0 if of none.
        frames: Its slices; empty if it is not an image, or has a fault.
        fault: Element that cannot be used, as a clause; empty if there is none.
    """

    file: str
    series_uid: str
    uid_origin: UidOrigin
    modality: str
    image_type: tuple[str, ...]
    is_grey: bool
    has_lut: bool
    stated: int
    frames: tuple[Frame, ...]
    fault: str = ""


def is_uid(text: str) -> bool:
    """Whether a text is a UID: numbers with dots between them, 64 characters at most."""
    return len(text) <= UID_LENGTH and UID.fullmatch(text) is not None


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
    try:
        with quiet_pydicom():
            header = read_dataset(stream, KEYWORDS, pixels="leave")
            return _instance(header, file, stream)
    except InflationError:
        raise Damaged("they inflate to more than their headers state") from None
    except Exception:  # a damaged header makes pydicom raise almost anything
        if not marked:
            return None
        raise Damaged from None


def _instance(header: Dataset, file: str, stream: IO[bytes]) -> Instance | None:
    if DIRECTORY_STORAGE in (
        first_text(header, "SOPClassUID"),
        getattr(header, "file_meta", Dataset()).get("MediaStorageSOPClassUID"),
    ):
        return None
    # Some converters write it in small letters.
    modality = first_text(header, "Modality").upper()
    frames, fault = _frames_or_fault(header, file, stream)
    series_uid, origin = _series_uid(header, file)
    is_cut = not (frames or fault) and _is_image_class(first_text(header, "SOPClassUID"))
    if origin == "made" and not (frames or fault):
        raise Damaged
    return Instance(
        file=file,
        series_uid=series_uid,
        uid_origin=origin,
        # It is shown to the user, so it must be a defined term and not arbitrary text.
        modality=modality if modality in MODALITIES else "",
        image_type=texts(header, "ImageType"),
        is_grey=_is_grey(header),
        has_lut=bool(sequence(header, "ModalityLUTSequence")),
        stated=_stated(header),
        frames=frames,
        fault=fault or (NO_SIZE if is_cut else ""),
    )


@lru_cache(maxsize=256)
def _is_image_class(sop_class: str) -> bool:
    return UidName(sop_class).name.endswith("Image Storage")


def _series_uid(header: Dataset, file: str) -> tuple[str, UidOrigin]:
    """The UID, which is shown and names files; arbitrary text in its place could be a name."""
    stated = first_text(header, "SeriesInstanceUID")
    if is_uid(stated):
        return stated, "stated"
    if not stated:
        # Files of one folder that say the same of study and series.
        keys = ("StudyInstanceUID", "FrameOfReferenceUID", "Modality", "SeriesNumber")
        parts = [first_text(header, key) for key in keys]
        stated = "\n".join([PurePosixPath(file).parent.name, *parts])
    digest = hashlib.sha256(stated.encode("utf-8", "surrogateescape")).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}", "made"


def _is_grey(header: Dataset) -> bool:
    photometric = first_text(header, "PhotometricInterpretation")
    samples = header.get("SamplesPerPixel")
    return samples in (None, 1) and photometric[:10] in ("", "MONOCHROME")


def _stated(header: Dataset) -> int:
    """Number of slices of the series that a header speaks of."""
    texts_of = ("ImagesInAcquisition", "NumberOfSeriesRelatedInstances")
    slices = header.get("NumberOfSlices")
    counts = [lenient_number(header, key) or 0 for key in texts_of]
    return max(*counts, slices if isinstance(slices, int) else 0)


def _frames_or_fault(
    header: Dataset, file: str, stream: IO[bytes]
) -> tuple[tuple[Frame, ...], str]:
    try:
        return header_frames(header, file, stream), ""
    except ElementError as error:
        return (), str(error)
