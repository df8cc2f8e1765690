"""Names of the outputs of DICOM series: by their UID, or by what a person knows a patient by.

Names of patients stand in no name, and what else identifies one only where the user asks for it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from medseg.errors import UsageError

if TYPE_CHECKING:
    # pydicom takes a while to import, and most inputs are not DICOM.
    from medseg.data.dicom.find import DicomSeries
    from medseg.data.dicom.person import Person

__all__ = ["NameWord", "identifying_line", "read_name_words", "series_name"]

NameWord = Literal[
    "uid",
    "short",
    "patient-id",
    "study-date",
    "accession",
    "description",
    "series-number",
    "folder",
]
IDENTIFYING = {"patient-id", "study-date", "accession", "description", "folder"}
# The endings of outputs, and the digits at the end, have to fit into 255 bytes as well.
MAX_PART_BYTES = 40
HEX_DIGITS = 8


def read_name_words(words: Sequence[str]) -> tuple[NameWord, ...]:
    """Parse the words of `--name-by`, in their order.

    Raises:
        UsageError: If a word is unknown, or `uid` or `short` is combined with others.
    """
    known = {word: word for word in get_args(NameWord)}
    unknown = next((word for word in words if word not in known), None)
    if unknown is not None:
        raise UsageError(f"--name-by takes {', '.join(known)}, got {unknown!r}")
    if len(words) > 1 and {"uid", "short"} & set(words):
        raise UsageError("--name-by uid and short stand alone; others can be combined by commas")
    return tuple(known[word] for word in words) or ("uid",)


def identifying_line(words: Sequence[NameWord]) -> str | None:
    """The warning that names may identify patients; None if they do not."""
    telling = [word for word in words if word in IDENTIFYING]
    if not telling:
        return None
    return (
        f"--name-by {','.join(telling)}: names of files, rows and pictures now may identify "
        "patients; treat the outputs like the images"
    )


def series_name(series: "DicomSeries", words: Sequence[NameWord], person: "Person | None") -> str:
    """Base name of a series' outputs, valid on every file system.

    Args:
        series: The series.
        words: What the name consists of, in order.
        person: Its patient and study; None for names that do not need them.

    Returns:
        The UID; else the parts with underscores between, ending in 8 digits of the UID's digest,
        so that a name is the same in every run and no two series share one.
    """
    if tuple(words) == ("uid",) or person is None:
        return series.uid
    values = {
        "short": series.modality,
        "patient-id": person.patient_id,
        "study-date": person.study_date,
        "accession": person.accession,
        "description": person.description,
        "series-number": person.series_number,
        "folder": person.folder,
    }
    parts = [_safe(values[word]) or "none" for word in words]
    return "_".join([*parts, hashlib.sha256(series.uid.encode()).hexdigest()[:HEX_DIGITS]])


def _safe(text: str) -> str:
    """Letters and digits of any script, with hyphens for all between them.

    No dots: `CON.1` is a device on Windows, and a name must not look as if it had a suffix.
    """
    plain = unicodedata.normalize("NFC", text)
    words = re.sub(r"[\W_]+", "-", plain).strip("-")
    return words.encode()[:MAX_PART_BYTES].decode("utf-8", "ignore").strip("-")
