"""Common parts of DICOM outputs: identifiers, dates, equipment, patient, writing the file.

highdicom does not get the patient: it logs names that it finds odd, and quotes values in errors.
Patient and study are copied from the source afterwards.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from highdicom.base_content import ContributingEquipment
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import format_number_as_ds

from medseg._checks import require_choice
from medseg._files import write_atomically
from medseg.data.dicom.codes import OWN_SCHEME
from medseg.data.dicom.input import dicom_error
from medseg.data.dicom.label import MAX_CHARACTERS, DicomLabel
from medseg.data.dicom.source import DicomSource
from medseg.data.dicom.tags import quiet_pydicom
from medseg.data.wording import in_words
from medseg.errors import UsageError

__all__ = [
    "EQUIPMENT",
    "Overwrite",
    "check_free",
    "content_key",
    "derived_uid",
    "finish",
    "made_by",
    "number_uid",
    "save_dicom",
    "series_description",
    "source_images",
]

# pydicom's types say Unknown where a caller needs to know.
_codes = cast("Any", codes)
Overwrite = Literal["refuse", "replace"]
# pyright takes a dictionary of texts for any keyword argument.
EQUIPMENT: dict[str, Any] = {
    "manufacturer": "medseg",
    "manufacturer_model_name": "medseg",
    "device_serial_number": "0",
    "software_versions": version("medseg"),
}
# For highdicom only, which supports the attributes of standard classes.
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def content_key(label: DicomLabel, source: DicomSource, planes: NDArray[Any]) -> str:
    """Digest of an output's content; equal for equal content."""
    stated = [
        [[r.sop_uid, r.frame] for r in source.references],
        [one.model_dump() for one in label.labels],
        asdict(label.algorithm),
        {name: asdict(share) for name, share in label.shares.items()},
        label.body_part,
        list(label.warnings),
        label.created.isoformat(),
        planes.shape,
        EQUIPMENT,
    ]
    digest = hashlib.sha256(json.dumps(stated).encode())
    for plane in planes:
        digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()


def derived_uid(*parts: str | int) -> str:
    """A UID derived from `parts`, the same for equal parts, under 2.25 (PS3.5, B.2)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, ' '.join(map(str, parts))).int}"


def source_images(source: DicomSource) -> list[Dataset]:
    """Each slice as a separate image with its geometry only, and a number as its UID.

    Multi-frame files are split here, so that later code handles single slices only.
    """
    return [_image(source, k) for k in range(len(source.references))]


def number_uid(k: int) -> str:
    """The UID of slice `k` in `source_images`."""
    return f"2.25.{k}"


def _image(source: DicomSource, k: int) -> Dataset:
    frame, image = source.stack.frames[k], Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CT_IMAGE, number_uid(k)
    image.StudyInstanceUID, image.SeriesInstanceUID = source.study_uid, source.stack.series_uid
    image.FrameOfReferenceUID, image.Modality = source.frame_of_reference_uid, source.modality
    image.Columns, image.Rows = frame.shape
    image.ImagePositionPatient = _decimals(frame.position or ())
    image.ImageOrientationPatient = _decimals(frame.orientation or ())
    image.PixelSpacing = _decimals(frame.pixel_spacing or ())
    image.SliceThickness = _decimals([frame.thickness_mm or source.stack.step_mm])[0]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate"):
        setattr(image, keyword, None)
    image.StudyTime = image.StudyID = image.AccessionNumber = None
    return image


def _decimals(values: Iterable[float]) -> list[str]:
    return [format_number_as_ds(float(value)) for value in values]


def made_by(label: DicomLabel) -> ContributingEquipment:
    """The bundle and its weights as contributing equipment."""
    algorithm = label.algorithm
    return ContributingEquipment(
        manufacturer="medseg",
        purpose_of_reference=_codes.DCM.ProcessingEquipment,
        manufacturer_model_name=algorithm.name,
        software_versions=algorithm.version,
        contribution_description=f"{algorithm.caution}; weights SHA-256 {algorithm.weights}",
    )


def series_description(label: DicomLabel) -> str:
    """What a series list shows: the classes in words, and the caution; at most 64 characters."""
    names = [in_words(segment.name) for segment in label.segments]
    caution = f" - {label.algorithm.brief}"
    for shown in range(len(names), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        text = f"medseg {', '.join(names[:shown])}{more}{caution}"
        if len(text) <= MAX_CHARACTERS:
            return text
    plural = "s" if len(names) > 1 else ""
    return f"medseg, {len(names)} structure{plural}{caution}"


def finish(output: Dataset, label: DicomLabel, source: DicomSource) -> Dataset:
    """Set dates, descriptions, patient and study of an output."""
    date, time = label.created.strftime("%Y%m%d"), label.created.strftime("%H%M%S.%f")
    for event in ("InstanceCreation", "Content", "Series"):
        setattr(output, f"{event}Date", date)
        setattr(output, f"{event}Time", time)
    for equipment in output.ContributingEquipmentSequence:
        equipment.ContributionDateTime = date + time
    output.SpecificCharacterSet = "ISO_IR 192"
    output.SeriesDescription = series_description(label)
    output.ContentQualification = "RESEARCH"
    output.CodingSchemeIdentificationSequence = [_own_scheme()]
    output.update(source.identity)
    return output


def _own_scheme() -> Dataset:
    scheme = Dataset()
    scheme.CodingSchemeDesignator = OWN_SCHEME
    scheme.CodingSchemeName = "medseg: classes named by a data set, without a standard code"
    scheme.CodingSchemeResponsibleOrganization = "medseg"
    return scheme


def check_free(path: Path, overwrite: Overwrite) -> None:
    """Refuse to overwrite a file.

    Raises:
        UsageError: If the word is unknown, or the file exists and is not to be replaced.
    """
    require_choice("overwrite", overwrite, get_args(Overwrite))
    if path.exists() and overwrite == "refuse":
        raise UsageError(f"{path} already exists; set overwrite to 'replace' or move it")


def save_dicom(output: Dataset, path: Path, source: DicomSource) -> None:
    """Write a finished output atomically.

    Raises:
        InputError: If patient or study hold values that cannot be written.
    """

    def write(temporary: Path) -> None:
        try:
            with quiet_pydicom():
                output.save_as(temporary, enforce_file_format=True)
        except OSError:
            raise
        except Exception:  # of any type; its message may quote the value, hence `from None`
            what = "its patient or study holds values that cannot be written"
            raise dicom_error(what, "export it again", series_uid=source.stack.series_uid) from None

    write_atomically(path, write)
