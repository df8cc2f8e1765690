"""What DICOM outputs need of the series they are made from: where its slices lie, whose they are.

Geometry comes from the same reading as the volume's, so that slices refused there are refused
here. Patient and study are kept apart from it: they go into the output file and nowhere else, not
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
from medseg.data.dicom.input import DicomInput, dicom_error, is_dicom, open_input
from medseg.data.dicom.instance import Frame
from medseg.data.dicom.pixels import without_copies
from medseg.data.dicom.stack import Stack, stack_frames
from medseg.data.dicom.tags import first_text, quiet_pydicom
from medseg.errors import UsageError

__all__ = ["DicomSource", "read_dicom_source"]

# What tells patient and study: first those that a file must have, even if empty.
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
EXPORT = "export the series again with its identifiers, or take NIfTI"


@dataclass(frozen=True)
class Reference:
    """How another file names a slice; `frame` counts from 1, None in a file of one slice."""

    sop_class_uid: str
    sop_uid: str
    frame: int | None


@dataclass(frozen=True, eq=False)
class DicomSource:
    """A series that DICOM outputs are made from.

    Attributes:
        stack: Its slices, sorted along their normal.
        modality: E.g. `CT`.
        study_uid: StudyInstanceUID.
        frame_of_reference_uid: FrameOfReferenceUID.
        references: How to name each slice of the stack.
        identity: Patient and study, to be shown nowhere.
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
        reference: A path, or `PATH#UID` as `pick_input` gives it.

    Raises:
        UsageError: If it is no DICOM.
        InputError: If it is no volume, or lacks an identifier that an output must state.
    """
    path, uid = split_reference(reference)
    if path.exists() and not is_dicom(path):
        raise UsageError("DICOM outputs need a DICOM input, to refer to; take NIfTI for this one")
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
    wanted = dict.fromkeys(files[1:], INSTANCE)
    wanted[files[0]] = [*INSTANCE, *REQUIRED, *OPTIONAL]
    headers: dict[str, Dataset] = {}
    for file, keywords in wanted.items():
        with source.open(file) as stream, quiet_pydicom():
            headers[file] = cast("Any", pydicom).dcmread(
                stream, stop_before_pixels=True, force=True, specific_tags=keywords
            )
    return headers


def _one(series_uid: str, headers: Iterable[Dataset], keyword: str) -> str:
    found = {first_text(header, keyword) for header in headers}
    if len(found) > 1:
        raise dicom_error(f"its slices differ in {keyword}", EXPORT, series_uid=series_uid)
    return _uid(series_uid, found.pop(), keyword)


def _uid(series_uid: str, uid: str, keyword: str) -> str:
    if not UID.fullmatch(uid):
        what = f"has no {keyword}, so no DICOM output can refer to it"
        raise dicom_error(what, EXPORT, series_uid=series_uid)
    return uid


def _reference(series_uid: str, frame: Frame, header: Dataset) -> Reference:
    multiframe = "NumberOfFrames" in header or "PerFrameFunctionalGroupsSequence" in header
    return Reference(
        sop_class_uid=_uid(series_uid, first_text(header, "SOPClassUID"), "SOPClassUID"),
        sop_uid=_uid(series_uid, frame.sop_uid, "SOPInstanceUID"),
        frame=frame.index + 1 if multiframe else None,
    )


def _identity(series_uid: str, header: Dataset) -> Dataset:
    """Elements as the file has them, right or wrong, decoded from the file's character set."""
    identity = Dataset()
    try:
        with quiet_pydicom():
            for keyword in [*REQUIRED, *OPTIONAL]:
                if keyword in header:
                    identity[keyword] = header[keyword]
                elif keyword in REQUIRED:
                    setattr(identity, keyword, None)
    except Exception:  # whatever it is, pydicom quotes the value
        what = "its patient or study cannot be read from the header"
        raise dicom_error(what, EXPORT, series_uid=series_uid) from None
    return identity
