"""Key file: which output belongs to which patient, kept apart from the outputs.

It is readable by its owner alone. Rows of earlier runs stay, so a cohort may be predicted in parts.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from medseg._csv import csv_text
from medseg._files import write_atomically
from medseg._locks import LOCK, locked
from medseg.errors import DataError, UsageError
from medseg.prediction.cases import CohortCase

__all__ = ["check_key_file", "write_key_file"]

COLUMNS: tuple[str, ...] = (
    "case",
    "patient_id",
    "patient_name",
    "study_date",
    "series_description",
    "series_uid",
    "source",
)
OWNER_ONLY = 0o600
# Shares of a cohort write one key file, each for milliseconds.
PATIENCE_SECONDS = 60.0


def check_key_file(path: Path, output: Path) -> None:
    """Refuse a key file inside the output folder, or in place of another file.

    Raises:
        UsageError: If it lies in or below the output folder, or is a folder.
        DataError: If there is another file of that name.
    """
    if path.resolve().is_relative_to(output.resolve()):
        raise UsageError(
            f"--key-file {path}: must not lie in the output folder {output}, from which it keeps "
            "the patients' names apart"
        )
    if path.is_dir():
        raise UsageError(f"--key-file {path}: is a folder; give the name of a file")
    _rows(path)


def write_key_file(path: Path, cases: Iterable[CohortCase]) -> None:
    """Write a row for each case, and keep those of other cases that are there.

    Raises:
        DataError: If there is another file of that name.
        MachineError: If another process writes it for long.
    """
    lock = path.with_name(f".{path.name}{LOCK}")
    with locked(lock, what=f"--key-file {path}", patience_seconds=PATIENCE_SECONDS):
        mine = csv.DictReader(io.StringIO(csv_text(COLUMNS, map(_row, cases)), newline=""))
        rows = {**_rows(path), **{row["case"]: row for row in mine}}
        in_order = ([rows[name][column] for column in COLUMNS] for name in sorted(rows))
        _write(path, csv_text(COLUMNS, in_order))


def _write(path: Path, text: str) -> None:
    def write(temporary: Path) -> None:
        # Before anything is in it.
        temporary.chmod(OWNER_ONLY)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")

    write_atomically(path, write)


def _rows(path: Path) -> dict[str, Mapping[str, str]]:
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) == COLUMNS:
                return {row["case"]: row for row in reader}
    except (UnicodeDecodeError, csv.Error):
        pass
    raise DataError(f"--key-file {path}: another file is there; give another name, or move it away")


def _row(case: CohortCase) -> tuple[str, ...]:
    person = case.person
    return (
        case.name,
        "" if person is None else person.patient_id,
        "" if person is None else person.patient_name,
        "" if person is None else person.study_date,
        "" if person is None else person.description,
        case.source.series_uid or "",
        str(case.path),
    )
