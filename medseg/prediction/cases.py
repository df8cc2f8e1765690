"""The cases behind the inputs of a prediction, and what their outputs are called.

Outputs of a DICOM series are named by its uid: names of files and folders of DICOM are often
names of patients.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from medseg.data.cases.case_digest import source_files
from medseg.data.dicom.choice import choose_series, dicom_reference, pick_input, split_reference
from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.input import is_dicom
from medseg.data.digest import file_sha256
from medseg.data.images.naming import (
    format_words,
    image_stem,
    is_picture,
    is_volume,
    without_outputs,
)
from medseg.errors import DataError, MedsegError, UsageError
from medseg.prediction.earlier_outputs import is_earlier_output, without_earlier_outputs

__all__ = ["CohortCase", "Refused", "content_sha256", "find_cases", "share"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CohortCase:
    """One volume, or one picture, to predict.

    Attributes:
        name: Names its outputs.
        reference: A path, or `PATH#UID`, for `read_volume` or `read_picture`.
        shown: How it is told to the user: the path, or the DICOM series' uid.
        source: How it is told in files: the base name, or the DICOM series' uid.
    """

    name: str
    reference: str
    shown: str
    source: str

    @property
    def is_dicom(self) -> bool:
        """Whether it is a DICOM series."""
        return split_reference(self.reference)[1] is not None

    @property
    def path(self) -> Path:
        """Where it is."""
        return split_reference(self.reference)[0]


@dataclass(frozen=True)
class Refused:
    """An input that cannot be used, and why, in one line.

    Attributes:
        shown: How it is told to the user.
        error: Likewise; it may name a path.
        path: What is not told in files.
    """

    shown: str
    error: str
    path: str | None = None

    @property
    def without_path(self) -> str:
        """The error as it is told in files."""
        return self.error if self.path is None else self.error.replace(self.path, self.shown)


def find_cases(
    inputs: Sequence[Path], *, modality: str | None = None, series_uid: str | None = None
) -> tuple[list[CohortCase], list[Refused]]:
    """Find the volumes behind files and folders.

    Args:
        inputs: Volume files and pictures; DICOM as a folder, a zip, a file or `PATH#UID`; folders
            of volume files, or, if there is neither volume nor DICOM in it, of pictures, of which
            all are taken.
        modality: DICOM series must have; None takes any.
        series_uid: Of the one DICOM input.

    Raises:
        UsageError: If a uid is given for several inputs, or for one that is no DICOM.
    """
    if series_uid is not None and len(inputs) > 1:
        raise UsageError("--series-uid is for one input; give several as PATH#UID each")
    cases: list[CohortCase] = []
    refused: list[Refused] = []
    for number, given in enumerate(inputs, start=1):
        try:
            if len(inputs) > 1 and is_earlier_output(given):
                logger.warning("%s: left out, as an earlier prediction wrote it", given)
                continue
            cases += _cases(given, modality, series_uid)
        except UsageError:
            raise
        except MedsegError as error:
            # What is wrong with DICOM is told without its path.
            which = f"input {number}: " if len(inputs) > 1 and str(given) not in str(error) else ""
            absolute = str(given.absolute())
            path = absolute if absolute in str(error) else str(given)
            refused.append(Refused(f"input {number}", which + str(error), path))
    # Globs overlap; and what comes twice would be in two shares.
    return list(dict.fromkeys(cases)), refused


def share(cases: Sequence[CohortCase], shard: tuple[int, int]) -> list[CohortCase]:
    """Every n-th case by name, beginning with the i-th: the n shares are disjoint.

    Args:
        cases: The same for all shares.
        shard: i and n, 1 <= i <= n.
    """
    i, n = shard
    return sorted(cases, key=lambda case: case.name)[i - 1 :: n] if n > 1 else list(cases)


def content_sha256(case: CohortCase) -> str:
    """Digest of a case's files, whatever they are called.

    Raises:
        DataError: If one cannot be read.
    """
    _, uid = split_reference(case.reference)
    try:
        files = source_files(case.path)
        if case.path.is_dir():
            files = without_earlier_outputs(case.path, files)
        if not files:
            raise DataError(f"{case.shown}: not there; check the path and its folder")
        digests = [file_sha256(file) for file in files]
    except OSError as error:
        raise DataError(f"{case.shown}: cannot be read ({error.strerror})") from error
    return hashlib.sha256(repr([uid, digests]).encode()).hexdigest()


def _cases(given: Path, modality: str | None, series_uid: str | None) -> list[CohortCase]:
    # A link keeps its own name, which is the one the user knows it by.
    path, uid = split_reference(given.absolute())
    if path.is_dir() and uid is None and series_uid is None:
        return _of_folder(path, modality)
    if is_dicom(path) or uid is not None or series_uid is not None:
        return [_of_series(pick_input(given.absolute(), series_uid=series_uid, modality=modality))]
    return [_of_file(path)]


def _of_file(path: Path) -> CohortCase:
    return CohortCase(name=image_stem(path), reference=str(path), shown=str(path), source=path.name)


def _of_folder(path: Path, modality: str | None) -> list[CohortCase]:
    shown = [file for file in path.rglob("*") if file.is_file() and not file.name.startswith(".")]
    files = without_earlier_outputs(path, shown)
    volumes = _images(files, is_volume)
    if not files or volumes:
        return [_of_file(file) for file in volumes] or _nothing(path)
    found = find_dicom_series(path)
    if found:
        return [_of_series(dicom_reference(path, choose_series(found, modality=modality).uid))]
    return [_of_file(file) for file in _images(files, is_picture)] or _nothing(path)


def _of_series(reference: str) -> CohortCase:
    uid = split_reference(reference)[1] or ""
    told = f"DICOM series {uid}"
    return CohortCase(name=uid, reference=reference, shown=told, source=told)


def _images(files: Sequence[Path], wanted: Callable[[Path], bool]) -> list[Path]:
    """All images of a kind, but for labels and maps of an earlier prediction."""
    return sorted(without_outputs(file for file in files if wanted(file)))


def _nothing(path: Path) -> NoReturn:
    what = f"no {format_words('volume', 'DICOM')} files, and no pictures, in it"
    raise DataError(f"{path}: {what}")
