"""Table of cases: which patient and group each belongs to, as a CSV or TSV file has it.

Many data sets come with one: `id, group, mosaic`. Which column has the names of the cases is seen
from its values, so it need not be named.
"""

import csv
import difflib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medseg._checks import first_few
from medseg._text import printable
from medseg.data.images.naming import image_stem
from medseg.errors import DataError, UsageError

__all__ = ["CaseTable", "TableRow", "read_case_table", "table_of"]

SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class CaseTable:
    """A table of cases, and the names of its columns.

    Attributes:
        path: A CSV or TSV file, whose first line names the columns.
        patient_column: Has the patient, or what else must stay together; None: each case is alone.
        group_column: Has the case's group; None: cases have none.
    """

    path: Path
    patient_column: str | None = None
    group_column: str | None = None


@dataclass(frozen=True)
class TableRow:
    """What a table says of a case; None where it was not asked."""

    patient: str | None
    group: str | None


def table_of(path: Path | None, patient: str | None, group: str | None) -> CaseTable | None:
    """The table that a user names, or None.

    Args:
        path: Of the file.
        patient: Name of the patients' column.
        group: Name of the groups' column.

    Raises:
        UsageError: If a table is named without columns, or columns without a table.
    """
    if path is None and patient is None and group is None:
        return None
    if path is None:
        option = "--group-column" if patient is None else "--patient-column"
        raise UsageError(f"{option} needs a table: --table cases.csv")
    if patient is None and group is None:
        raise UsageError(
            f"--table {path}: which column is meant? give --patient-column, --group-column or both"
        )
    return CaseTable(path=path, patient_column=patient, group_column=group)


def read_case_table(table: CaseTable, cases: Iterable[str]) -> dict[str, TableRow]:
    """What a table says of each case; rows of other cases are passed over.

    Args:
        table: The file and its columns.
        cases: Names of the cases; the table has them, or the names of their image files.

    Returns:
        A row for each case.

    Raises:
        DataError: If the file cannot be read, no column has the names of cases, a case has no row
            or two, or its cell is empty.
        UsageError: If a column is not there.
    """
    columns, rows = _read(table.path)
    asked = {"patient": table.patient_column, "group": table.group_column}
    for option, column in asked.items():
        if column is not None and column not in columns:
            raise _no_column(table.path, option, column, columns)
    wanted = list(cases)
    by_case = _by_case(table.path, columns, rows, wanted)
    found: dict[str, TableRow] = {}
    for case in wanted:
        line, cells = by_case[case]
        found[case] = TableRow(
            *(
                None if column is None else _cell(table.path, line, column, cells, case)
                for column in asked.values()
            )
        )
    return found


def _read(path: Path) -> tuple[Sequence[str], list[tuple[int, Mapping[str, str]]]]:
    """The names of the columns, and the cells of each row with the number of its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"--table {path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"--table {path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    head = text.partition("\n")[0]
    # A spreadsheet of a country with a decimal comma writes semicolons.
    delimiter = max("\t;,", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(f"--table {path}: line {reader.line_num}: {error}; correct it") from error
    if not rows:
        raise DataError(f"--table {path}: is empty; its first line must name the columns")
    columns = [cell.strip() for cell in rows[0][1]]
    twice = next((name for name in columns if name and columns.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"--table {path}: two columns are called {twice}; rename one")
    return columns, [
        (line, dict(zip(columns, (cell.strip() for cell in row), strict=False)))
        for line, row in rows[1:]
    ]


def _no_column(path: Path, option: str, column: str, columns: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(column, columns, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return UsageError(
        f"--{option}-column {column}: {path} has no such column; {hint}it has "
        f"{printable(first_few(columns, SHOWN))}"
    )


def _by_case(
    path: Path,
    columns: Sequence[str],
    rows: Sequence[tuple[int, Mapping[str, str]]],
    cases: Sequence[str],
) -> dict[str, tuple[int, Mapping[str, str]]]:
    """The row of each case, by the column in which most cases are found."""
    known = set(cases)
    places = [
        [(name, row) for row in rows if (name := _case_of(row[1].get(column, ""), known))]
        for column in columns
    ]
    most = max(places, key=lambda place: len({name for name, _ in place}))
    found: dict[str, tuple[int, Mapping[str, str]]] = {}
    for name, row in most:
        if name in found:
            raise DataError(
                f"--table {path}: case {name} is in lines {found[name][0]} and {row[0]}; keep one"
            )
        found[name] = row
    if not found:
        raise DataError(
            f"--table {path}: no column has names of cases, such as {cases[0]}; add one"
        )
    missing = [case for case in cases if case not in found]
    if missing:
        raise DataError(
            f"--table {path}: no row for {first_few(missing, 3)}, {len(missing)} of {len(cases)} "
            "cases; add them, or leave their images out"
        )
    return found


def _case_of(cell: str, known: set[str]) -> str | None:
    """The case that a cell names: its name, or a file's."""
    return next((name for name in (cell, image_stem(cell)) if name and name in known), None)


def _cell(path: Path, line: int, column: str, cells: Mapping[str, str], case: str) -> str:
    text = cells.get(column, "")
    if not text:
        raise DataError(f"--table {path}: line {line}: {column} of case {case} is empty; fill it")
    return text
