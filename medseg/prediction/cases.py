"""Cases to predict: find them in files and folders, and name their outputs.

Outputs of a DICOM series are named by its UID, since names of DICOM files and folders are often
names of patients.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from medseg._text import printable
from medseg.data.cases.case_digest import source_files
from medseg.data.dicom.input import is_dicom
from medseg.data.digest import file_sha256
from medseg.data.images.naming import (
    format_words,
    image_stem,
    is_picture,
    is_volume,
    without_outputs,
)
from medseg.data.output_names import safe_name
from medseg.data.source import Source
from medseg.errors import DataError, UsageError, user_error
from medseg.prediction.earlier_outputs import is_earlier_output, without_earlier_outputs

if TYPE_CHECKING:
    from medseg.data.dicom.find import DicomSeries

__all__ = ["CohortCase", "Refused", "content_sha256", "find_cases", "share"]

logger = logging.getLogger(__name__)

# Headers of at most this many slices are kept in memory, some 100 MB; in a cohort of thousands of
# series, the others are searched for again when they are read.
_KEPT_SLICES = 100_000


@dataclass(frozen=True, kw_only=True)
class CohortCase:
    """One volume, or one picture, to predict.

    Attributes:
        name: Base name of its output files.
        source: Its path, and the UID of a DICOM series.
        shown: Name in messages: the path, or the DICOM series' UID.
        recorded: Name in output files: the base name, or the DICOM series' UID.
        series: The DICOM series as it was found, unless there are too many to keep.
    """

    name: str
    source: Source
    shown: str
    recorded: str
    series: "DicomSeries | None" = field(default=None, compare=False, repr=False)

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


def find_cases(
    inputs: Sequence[Source], *, modality: str | None = None, series_uid: str | None = None
) -> tuple[list[CohortCase], list[Refused]]:
    """Find the volumes behind files and folders.

    Args:
        inputs: Volume files and pictures; DICOM as a folder, a zip or a file; folders, in which
            all volume files are taken, or all pictures if there are neither volumes nor DICOM.
        modality: Modality that DICOM series must have; None takes any.
        series_uid: Selects the series of the one DICOM input.

    Raises:
        UsageError: If a UID is given for several inputs, or for one that is not DICOM.
    """
    if series_uid is not None and len(inputs) > 1:
        raise UsageError("--series-uid is for one input; for several, use PATH#UID for each")
    cases: list[CohortCase] = []
    refused: list[Refused] = []
    room = _KEPT_SLICES
    for number, given in enumerate(inputs, start=1):
        try:
            if len(inputs) > 1 and is_earlier_output(given.path):
                logger.warning("%s: skipped, since an earlier prediction wrote it", given)
                continue
            uid = series_uid or given.series_uid
            # A symbolic link keeps its own name, the one that the user gave.
            of_input = _cases(Source(given.path.absolute(), uid), modality)
            room -= sum(case.series.slices for case in of_input if case.series is not None)
            cases += of_input if room >= 0 else [replace(case, series=None) for case in of_input]
        except UsageError:
            raise
        except Exception as error:
            # One input never costs the others, whatever it is.
            refused.append(_refused(number, given, error, len(inputs)))
    # Globs may overlap, and a case that comes twice would be in two shares.
    return list(dict.fromkeys(cases)), refused


def share(cases: Sequence[CohortCase], shard: tuple[int, int]) -> list[CohortCase]:
    """The i-th of n disjoint shares: every n-th case by name, starting with the i-th.

    Args:
        cases: The same for all shares.
        shard: i and n, 1 <= i <= n.
    """
    i, n = shard
    return sorted(cases, key=lambda case: case.name)[i - 1 :: n] if n > 1 else list(cases)


def content_sha256(case: CohortCase) -> str:
    """Digest of the contents of a case's files, not their names.

    Raises:
        DataError: If a file cannot be read.
    """
    try:
        files = source_files(case.path)
        if case.path.is_dir():
            files = without_earlier_outputs(case.path, files)
        if not files:
            raise DataError(f"{case.shown}: not there; check the path and its folder")
        digests = [file_sha256(file) for file in files]
    except OSError as error:
        raise DataError(f"{case.shown}: cannot be read ({error.strerror})") from error
    return hashlib.sha256(repr([case.source.series_uid, digests]).encode()).hexdigest()


def _refused(number: int, given: Source, error: Exception, inputs: int) -> Refused:
    users = user_error(error)
    debug = f"unexpected {type(error).__name__}; use medseg --debug predict to see the traceback"
    text = printable(debug if users is None else str(users))
    shown, absolute = (
        printable(str(source))
        for source in (given, Source(given.path.absolute(), given.series_uid))
    )
    # Messages about DICOM do not name its path.
    which = f"input {number}: " if inputs > 1 and shown not in text else ""
    path = absolute if absolute in text else shown
    return Refused(f"input {number}", which + text, path, error)


def _cases(source: Source, modality: str | None) -> list[CohortCase]:
    path = source.path
    if path.is_dir() and source.series_uid is None:
        return _of_folder(path, modality)
    if not is_dicom(path) and source.series_uid is None:
        return [_of_file(path)]
    # pydicom takes a while to import, and most inputs are not DICOM.
    from medseg.data.dicom.choice import pick_input

    series = pick_input(source, modality=modality)
    return [_of_file(path) if series is None else _of_series(series)]


def _of_file(path: Path) -> CohortCase:
    return CohortCase(
        name=safe_name(image_stem(path)),
        source=Source(path),
        shown=printable(str(path)),
        recorded=printable(path.name),
    )


def _of_folder(path: Path, modality: str | None) -> list[CohortCase]:
    visible = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")]
    files = without_earlier_outputs(path, visible)
    volumes = _images(files, is_volume)
    if not files or volumes:
        return [_of_file(file) for file in volumes] or _nothing(path)
    from medseg.data.dicom.choice import choose_series
    from medseg.data.dicom.find import find_dicom_series

    series = find_dicom_series(path)
    if series:
        return [_of_series(choose_series(series, modality=modality))]
    return [_of_file(file) for file in _images(files, is_picture)] or _nothing(path)


def _of_series(series: "DicomSeries") -> CohortCase:
    name = printable(f"DICOM series {series.uid}")
    return CohortCase(
        name=safe_name(series.uid),
        source=Source(series.path, series.uid),
        shown=name,
        recorded=name,
        series=series,
    )


def _images(files: Sequence[Path], is_image: Callable[[Path], bool]) -> list[Path]:
    """All images of a kind, except labels and maps of an earlier prediction."""
    return sorted(without_outputs(file for file in files if is_image(file)))


def _nothing(path: Path) -> NoReturn:
    what = f"no {format_words('volume', 'DICOM')} files, and no pictures, in it"
    raise DataError(f"{path}: {what}")
