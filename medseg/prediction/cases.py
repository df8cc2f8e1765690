"""Cases of a prediction: one volume or picture each, with its name in outputs and messages.

Outputs of a DICOM series are named by its UID unless the user asks for other names, since names of
DICOM files and folders are often names of patients.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medseg.data.cases.case_digest import source_files
from medseg.data.digest import file_sha256
from medseg.data.source import Source
from medseg.errors import DataError

if TYPE_CHECKING:
    from medseg.data.dicom.find import DicomSeries
    from medseg.data.dicom.person import Person

__all__ = ["CohortCase", "LeftOut", "Refused", "content_sha256", "share"]


@dataclass(frozen=True, kw_only=True)
class CohortCase:
    """One volume, or one picture, to predict.

    Attributes:
        name: Base name of its output files.
        source: Its path, and the UID of a DICOM series.
        shown: Name in messages: the path, or the DICOM series' UID.
        recorded: Name in output files: the base name, or the DICOM series' UID.
        series: The DICOM series as it was found, unless there are too many to keep.
        person: Its patient and study, if they were asked for; must not be shown or logged.
        identity: Digest of its slices' UIDs and places; empty if it is not DICOM.
        others: Sources of the other channels, where there are several; a file that holds all is
            named for each.
        other_series: Their DICOM series as they were found, None for files.
    """

    name: str
    source: Source
    shown: str
    recorded: str
    series: "DicomSeries | None" = field(default=None, compare=False, repr=False)
    person: "Person | None" = field(default=None, compare=False, repr=False)
    identity: str = field(default="", compare=False, repr=False)
    others: tuple[Source, ...] = ()
    other_series: "tuple[DicomSeries | None, ...]" = field(default=(), compare=False, repr=False)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The source of each channel."""
        return (self.source, *self.others)

    @property
    def path(self) -> Path:
        """Path of the file or folder."""
        return self.source.path

    @property
    def is_dicom(self) -> bool:
        """Whether it is a DICOM series."""
        return self.source.series_uid is not None


@dataclass(frozen=True)
class Refused:
    """An input that cannot be used, and why, in one line.

    Attributes:
        shown: Name in messages.
        error: The message; it may name a path.
        path: The path in it, which must not appear in output files.
        cause: What was raised, with its traceback.
    """

    shown: str
    error: str
    path: str | None = None
    cause: BaseException | None = field(default=None, compare=False, repr=False)

    @property
    def without_path(self) -> str:
        """The error for output files: `shown` in place of the path."""
        return self.error if self.path is None else self.error.replace(self.path, self.shown)


@dataclass(frozen=True)
class LeftOut:
    """What was left out of an input: the input by its number, the reason, how many."""

    shown: str
    what: str
    count: int


def share(cases: Sequence[CohortCase], shard: tuple[int, int]) -> list[CohortCase]:
    """The i-th of n disjoint shares: every n-th case by name, starting with the i-th.

    Args:
        cases: The same for all shares.
        shard: i and n, 1 <= i <= n.
    """
    i, n = shard
    return sorted(cases, key=lambda case: case.name)[i - 1 :: n] if n > 1 else list(cases)


def content_sha256(case: CohortCase) -> str:
    """Digest of the contents of a case's files, not their names; of a DICOM series, of its slices.

    Raises:
        DataError: If a file cannot be read.
    """
    if not case.others:
        return _one_sha256(case)
    series = case.other_series or (None,) * len(case.others)
    channels = [replace(case, others=(), other_series=())]
    channels += [
        replace(channels[0], source=source, series=found)
        for source, found in zip(case.others, series, strict=True)
    ]
    return hashlib.sha256(repr(list(map(_one_sha256, channels))).encode()).hexdigest()


def _one_sha256(case: CohortCase) -> str:
    try:
        if case.is_dicom:
            # pydicom takes a while to import, and most inputs are not DICOM.
            from medseg.prediction.dicom_cases import series_sha256

            return series_sha256(case.series or case.source)
        files = source_files(case.path)
        if not files or not all(file.is_file() for file in files):
            raise DataError(f"{case.shown}: not there; check the path and its folder")
        digests = [file_sha256(file) for file in files]
    except OSError as error:
        raise DataError(f"{case.shown}: cannot be read ({error.strerror})") from error
    return hashlib.sha256(repr([None, digests]).encode()).hexdigest()
