"""Patient and study of a DICOM series, for names that a user asks for and for a key file.

Nothing else reads these elements, and no message quotes them.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from pydicom.dataset import Dataset

from medseg.data.dicom.dataset import read_dataset
from medseg.data.dicom.find import DicomSeries
from medseg.data.dicom.input import dicom_error, open_input
from medseg.data.dicom.tags import quiet_pydicom

__all__ = ["Person", "read_person"]

KEYWORDS = {
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "study_date": "StudyDate",
    "accession": "AccessionNumber",
    "description": "SeriesDescription",
    "series_number": "SeriesNumber",
}


@dataclass(frozen=True)
class Person:
    """Whom a series shows and when it was made; empty texts where that is not stated.

    Must not be shown or logged, and stands in no output unless the user asks for it.
    """

    patient_id: str
    patient_name: str
    study_date: str
    accession: str
    description: str
    series_number: str
    folder: str


def read_person(series: DicomSeries) -> Person:
    """Read one header of a series; texts are decoded by its character set.

    Args:
        series: As found; its first file is opened again.

    Raises:
        InputError: If the file cannot be opened or read any more.
    """
    file = series.frames[0].file
    folder = PurePosixPath(file).parent.name or series.path.name.removesuffix(series.path.suffix)
    try:
        with open_input(series.path) as source, source.open(file) as stream, quiet_pydicom():
            keywords = ["SpecificCharacterSet", *KEYWORDS.values()]
            header = read_dataset(stream, keywords, pixels="leave")
            texts = {name: _text(header, keyword) for name, keyword in KEYWORDS.items()}
    except OSError:
        raise dicom_error(
            "a file cannot be opened", "check its permissions", series_uid=series.uid
        ) from None
    return Person(**texts, folder=folder)


def _text(header: Dataset, keyword: str) -> str:
    try:
        value = header.get(keyword)
    except Exception:  # of any type, and its text may quote the value
        return ""
    return "" if value is None else str(value).strip(" \0")
