"""DICOM output formats: their names, file names and valid combinations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from medseg._checks import require_choice
from medseg.data.output_names import LABEL, REPORT
from medseg.errors import UsageError

__all__ = ["DicomFormat", "check_dicom_formats", "dicom_output_path"]

DicomFormat = Literal["dicom-seg", "dicom-sr"]
ENDINGS = {"dicom-seg": f"{LABEL}.dcm", "dicom-sr": f"{REPORT}.dcm"}


def dicom_output_path(output_dir: str | Path, case: str, one: DicomFormat) -> Path:
    """Path of an output file."""
    return Path(output_dir) / f"{case}{ENDINGS[one]}"


def check_dicom_formats(formats: Sequence[str]) -> None:
    """Refuse unknown formats, and a report without its segmentation.

    Raises:
        UsageError: It lists the valid formats.
    """
    for one in formats or ("",):
        require_choice("DICOM formats", one, get_args(DicomFormat))
    if "dicom-seg" not in formats:
        raise UsageError("dicom-sr refers to the segments of dicom-seg; use both")
