"""Source series of DICOM outputs: its geometry, identifiers, patient and study.

Geometry is read by the same code as the volume's, so that slices refused there are refused here.
Patient and study are kept separate from it: they go into the output file and nowhere else, not
through code that logs or quotes values.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from medseg.data.dicom.choice import choose_series, split_reference
from medseg.data.dicom.find import scan_series
from medseg.data.dicom.input import DicomInput, is_dicom, open_input, refuse
from medseg.data.dicom.instance import Frame
from medseg.data.dicom.pixels import without_copies
from medseg.data.dicom.stack import Stack
from medseg.data.dicom.stacking import stack_frames
from medseg.data.dicom.tags import first_text, quiet_pydicom
from medseg.errors import UsageError

__all__ = ["DicomSource", "read_dicom_source"]

# Attributes of patient and study; first those that a file must have, even if empty.
REQUIRED = [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
]
OPTIONAL = [
    "IssuerOfPatientID",
    "TypeOfPatientID",
    "OtherPatientIDsSequence",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    "StudyDescription",
    "IssuerOfAccessionNumberSequence",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "ClinicalTrialSponsorName",
    "ClinicalTrialProtocolID",
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
]
INSTANCE = [
    "SpecificCharacterSet",
    "SOPClassUID",
    "FrameOfReferenceUID",
    "StudyInstanceUID",
    "NumberOfFrames",
    "PerFrameFunctionalGroupsSequence",
]
UID = re.compile(r"[0-9.]{3,64}")
EXPORT = "export the series again with its identifiers, or use NIfTI"


@dataclass(frozen=True)
class Reference:
    """Reference to a slice in another file; `frame` counts from 1, None in a single-frame file."""

    sop_class_uid: str
    sop_uid: str
    frame: int | None


@dataclass(frozen=True, eq=False)
class DicomSource:
    """The source series of DICOM outputs.

    Attributes:
        stack: Its slices, sorted along their normal.
        modality: E.g. `CT`.
        study_uid: StudyInstanceUID.
        frame_of_reference_uid: FrameOfReferenceUID.
        references: Reference to each slice of the stack.
        identity: Patient and study; must not be shown or logged.
    """

    stack: Stack
    modality: str
    study_uid: str
    frame_of_reference_uid: str
    references: tuple[Reference, ...]
    identity: Dataset

    @property
    def affine(self) -> NDArray[np.float64]:
        """`(4, 4)`, of the stack; RAS+ in mm."""
        return self.stack.affine


def read_dicom_source(reference: str | Path) -> DicomSource:
    """Read the headers of a series.

    Args:
        reference: A path, or `PATH#UID` from `pick_input`.

    Raises:
        UsageError: If it is not DICOM.
        InputError: If it is not a volume, or lacks an identifier that outputs require.
    """
    path, uid = split_reference(reference)
    if path.exists() and not is_dicom(path):
        raise UsageError("DICOM outputs need a DICOM input to refer to; use NIfTI for this input")
    with open_input(path) as source:
        series = choose_series(scan_series(source), series_uid=uid)
        frames, _ = without_copies(series.uid, series.frames, source.open)
        stack = stack_frames(series.uid, frames)
        headers = _headers(stack, source)
    first = headers[stack.frames[0].file]
    return DicomSource(
        stack=stack,
        modality=series.modality,
        study_uid=_one(series.uid, headers.values(), "StudyInstanceUID"),
        frame_of_reference_uid=_one(series.uid, headers.values(), "FrameOfReferenceUID"),
        references=tuple(_reference(series.uid, f, headers[f.file]) for f in stack.frames),
        identity=_identity(series.uid, first),
    )


def _headers(stack: Stack, source: DicomInput) -> dict[str, Dataset]:
    files = list(dict.fromkeys(frame.file for frame in stack.frames))
    keywords_by_file = dict.fromkeys(files[1:], INSTANCE)
    keywords_by_file[files[0]] = [*INSTANCE, *REQUIRED, *OPTIONAL]
    headers: dict[str, Dataset] = {}
    for file, keywords in keywords_by_file.items():
        with source.open(file) as stream, quiet_pydicom():
            headers[file] = cast("Any", pydicom).dcmread(
                stream, stop_before_pixels=True, force=True, specific_tags=keywords
            )
    return headers


def _one(series_uid: str, headers: Iterable[Dataset], keyword: str) -> str:
    values = {first_text(header, keyword) for header in headers}
    if len(values) > 1:
        raise refuse(f"its slices differ in {keyword}", EXPORT, series_uid=series_uid)
    return _uid(series_uid, values.pop(), keyword)


def _uid(series_uid: str, uid: str, keyword: str) -> str:
    if not UID.fullmatch(uid):
        what = f"has no {keyword}, so no DICOM output can refer to it"
        raise refuse(what, EXPORT, series_uid=series_uid)
    return uid


def _reference(series_uid: str, frame: Frame, header: Dataset) -> Reference:
    multiframe = "NumberOfFrames" in header or "PerFrameFunctionalGroupsSequence" in header
    return Reference(
        sop_class_uid=_uid(series_uid, first_text(header, "SOPClassUID"), "SOPClassUID"),
        sop_uid=_uid(series_uid, frame.sop_uid, "SOPInstanceUID"),
        frame=frame.index + 1 if multiframe else None,
    )


def _identity(series_uid: str, header: Dataset) -> Dataset:
    """Elements as in the file, valid or not, decoded from its character set."""
    identity = Dataset()
    try:
        with quiet_pydicom():
            for keyword in [*REQUIRED, *OPTIONAL]:
                if keyword in header:
                    identity[keyword] = header[keyword]
                elif keyword in REQUIRED:
                    setattr(identity, keyword, None)
    except Exception:  # of any type; its message may quote the value, hence `from None`
        what = "its patient or study cannot be read from the header"
        raise refuse(what, EXPORT, series_uid=series_uid) from None
    return identity
