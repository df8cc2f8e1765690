"""DICOM outputs of a label: their words, their file names, which go together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from medseg.data.output_names import LABEL, REPORT
from medseg.errors import UsageError

__all__ = ["DicomFormat", "check_dicom_formats", "dicom_output_path"]

DicomFormat = Literal["dicom-seg", "dicom-sr"]
ENDINGS = {"dicom-seg": f"{LABEL}.dcm", "dicom-sr": f"{REPORT}.dcm"}


def dicom_output_path(output_dir: str | Path, case: str, one: DicomFormat) -> Path:
    """Where an output goes."""
    return Path(output_dir) / f"{case}{ENDINGS[one]}"


def check_dicom_formats(formats: Sequence[str]) -> None:
    """Refuse unknown formats, and a report without its segmentation.

    Raises:
        UsageError: It says which go.
    """
    known = get_args(DicomFormat)
    unknown = [one for one in formats if one not in known]
    if unknown or not formats:
        raise UsageError(f"DICOM formats must be of {', '.join(known)}, got {list(formats)}")
    if "dicom-seg" not in formats:
        raise UsageError("dicom-sr refers to the segments of dicom-seg; give both")
