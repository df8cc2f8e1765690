"""CSV: the one writer of all tables, whose cells no spreadsheet takes for formulas.

A cell that begins with `=` or the like is run by spreadsheets when the table is opened, and cells
may come from names of files and classes.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from medseg._text import printable

__all__ = ["csv_text"]

# What makes spreadsheets compute, also behind a tab or a line break.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text: quoted where needed, control characters escaped, formulas defused.

    A cell that would be a formula gets a `'` before it; numbers, negative ones too, stay.

    Args:
        columns: Their names.
        rows: Cells of each row; None is an empty cell.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    for row in (columns, *rows):
        table.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if value.startswith(_FORMULA) and not _is_number(value) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    # Python's numbers may have blanks around and underscores within.
    return text.strip() == text and "_" not in text
