"""Logs as CSV: medseg's `metrics.csv`, and the files of Keras's `CSVLogger`.

Both have a row for each epoch and a column for each metric, validation's with `val_` before them.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from medseg.errors import DataError
from medseg.studies.history.log import SECONDS, Kind, Row, TrainingLog, log_of_rows

__all__ = ["is_csv_log", "read_csv_log"]

_EPOCH = "epoch"
_RATES = ("learning_rate", "lr")
# Texts for "no number" of Python, R and spreadsheets.
_NO_NUMBER = ("nan", "na", "none", "null", "n/a")


def is_csv_log(text: str) -> bool:
    """Whether a text begins with a header that has the column `epoch`."""
    return _EPOCH in _header(text)


def read_csv_log(path: Path, text: str) -> TrainingLog:
    """Read a log as CSV, with `,`, `;` or a tab between its cells.

    Columns of learning rates and of texts are no metrics.

    Raises:
        DataError: If it has no epoch, or a cell of a metric is no number.
    """
    header = _header(text)
    table = list(csv.DictReader(io.StringIO(text), header, delimiter=_delimiter(text)))[1:]
    lines = [(number, row) for number, row in enumerate(table, start=2) if row.get(_EPOCH)]
    texts = {name for name in header if _is_text([row.get(name) for _, row in lines])}
    metrics = [name for name in header if name and name not in {_EPOCH, *_RATES, *texts}]
    kind: Kind = "medseg" if {"train_loss", SECONDS} <= set(header) else "Keras"
    return log_of_rows(path, kind, [_row(path, number, row, metrics) for number, row in lines])


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _header(text: str) -> list[str]:
    first = text.partition("\n")[0].strip().removeprefix("\ufeff")
    return [name.strip().strip('"') for name in first.split(_delimiter(text))]


def _row(path: Path, line: int, row: Mapping[str, str | None], metrics: Sequence[str]) -> Row:
    def number(name: str) -> float:
        text = (row[name] or "").strip()
        try:
            return _number(text)
        except ValueError as error:
            raise DataError(f"{path}: line {line}: {name} {text!r} is not a number") from error

    epoch = number(_EPOCH)
    if not epoch.is_integer():
        raise DataError(f"{path}: line {line}: epoch {row[_EPOCH]!r} is not a whole number")
    return int(epoch), {name: number(name) for name in metrics if (row.get(name) or "").strip()}


def _number(text: str) -> float:
    return math.nan if text.lower() in _NO_NUMBER else float(text)


def _is_text(cells: Sequence[str | None]) -> bool:
    """Whether a column holds texts alone, such as dates or lists."""
    filled = [cell.strip() for cell in cells if cell and cell.strip()]
    return bool(filled) and not any(map(_reads_as_number, filled))


def _reads_as_number(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return False
    return True
