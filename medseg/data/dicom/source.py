"""Source series of DICOM outputs: its geometry, identifiers, patient and study.

Geometry is read by the same code as the volume's, so that slices refused there are refused here.
Patient and study are kept separate from it: they go into the output file and nowhere else, not
through code that logs or quotes values.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from medseg.data.dicom.choice import find_series
from medseg.data.dicom.dataset import read_dataset
from medseg.data.dicom.find import DicomSeries
from medseg.data.dicom.frame import Frame
from medseg.data.dicom.input import DicomInput, dicom_error, is_dicom, open_input
from medseg.data.dicom.instance import is_uid
from medseg.data.dicom.pixels import without_copies
from medseg.data.dicom.stack import Stack, stack_frames
from medseg.data.dicom.tags import first_text, quiet_pydicom
from medseg.data.source import Source, as_source
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
BODY_PART = "BodyPartExamined"
# DICOM's CS; other texts, which some scanners write, are no terms.
TERM = re.compile(r"[A-Z0-9_ ]{1,16}")
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
        body_part: BodyPartExamined, or None.
        identity: Patient and study; must not be shown or logged.
    """

    stack: Stack
    modality: str
    study_uid: str
    frame_of_reference_uid: str
    references: tuple[Reference, ...]
    body_part: str | None
    identity: Dataset

    @property
    def affine(self) -> NDArray[np.float64]:
        """`(4, 4)`, of the stack; RAS+ in mm."""
        return self.stack.affine


def read_dicom_source(source: DicomSeries | Source | str | Path) -> DicomSource:
    """Read the data of a series that outputs require.

    Args:
        source: As for `read_dicom_series`. For a series found before, only one header is read
            again, for patient and study.

    Raises:
        UsageError: If it is not DICOM.
        InputError: If it is not a volume, or lacks an identifier that outputs require.
    """
    wanted = source if isinstance(source, DicomSeries) else as_source(source)
    if wanted.path.exists() and not is_dicom(wanted.path):
        raise UsageError("DICOM outputs need a DICOM input to refer to; use NIfTI for this input")
    with open_input(wanted.path) as files:
        series = find_series(wanted, files)
        if series.uid_origin == "made":
            what = "has no valid SeriesInstanceUID, so no DICOM output can refer to it"
            raise dicom_error(what, EXPORT, series_uid=series.uid)
        frames, _ = without_copies(series.uid, series.frames, files.open)
        stack = stack_frames(series.uid, frames)
        header = _header(stack.frames[0], files)
    ids = [frame.identifiers for frame in stack.frames]
    study_uids = {one.study_uid for one in ids}
    if len({one.patient for one in ids}) > 1:
        raise dicom_error("its slices differ in PatientID", EXPORT, series_uid=series.uid)
    places = {one.frame_of_reference_uid for one in ids}
    return DicomSource(
        stack=stack,
        modality=series.modality,
        study_uid=_one(series.uid, study_uids, "StudyInstanceUID"),
        frame_of_reference_uid=_one(series.uid, places, "FrameOfReferenceUID"),
        references=tuple(_reference(series.uid, frame) for frame in stack.frames),
        body_part=_body_part(header),
        identity=_identity(series.uid, header),
    )


def _header(frame: Frame, files: DicomInput) -> Dataset:
    with files.open(frame.file) as stream, quiet_pydicom():
        keywords = ["SpecificCharacterSet", BODY_PART, *REQUIRED, *OPTIONAL]
        return read_dataset(stream, keywords, pixels="leave")


def _one(series_uid: str, values: set[str], keyword: str) -> str:
    if len(values) > 1:
        raise dicom_error(f"its slices differ in {keyword}", EXPORT, series_uid=series_uid)
    return _uid(series_uid, next(iter(values)), keyword)


def _uid(series_uid: str, uid: str, keyword: str) -> str:
    if not is_uid(uid):
        what = f"has no {keyword}, so no DICOM output can refer to it"
        raise dicom_error(what, EXPORT, series_uid=series_uid)
    return uid


def _reference(series_uid: str, frame: Frame) -> Reference:
    return Reference(
        sop_class_uid=_uid(series_uid, frame.identifiers.sop_class_uid, "SOPClassUID"),
        sop_uid=_uid(series_uid, frame.sop_uid, "SOPInstanceUID"),
        frame=frame.index + 1 if frame.identifiers.is_multiframe else None,
    )


def _body_part(header: Dataset) -> str | None:
    term = first_text(header, BODY_PART)
    return term if TERM.fullmatch(term) else None


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
        raise dicom_error(what, EXPORT, series_uid=series_uid) from None
    return identity
