"""Tables of a history: lines of the terminal, CSV, Markdown and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from medseg._csv import csv_text
from medseg._text import printable
from medseg.studies.history.history import History, MetricSummary, Range
from medseg.studies.history.labels import label_of

__all__ = ["history_csv", "history_json", "history_markdown", "print_history", "verdict"]

_HEADINGS = ("metric", "of", "better", "best", "first within", "epochs after", "hours after")
# Of a file or a pipe, which cut no table.
_WIDE = 1000
_COLUMNS = (
    "log",
    "metric",
    "label",
    "measured",
    "better",
    "best",
    "best_epoch",
    "epoch",
    "value",
    "epochs_after",
    "hours_after",
)


def print_history(history: History, console: Console) -> None:
    """Print a row for each metric, and what an early stop could have saved."""
    table = Table(*_HEADINGS[:3], box=box.SIMPLE_HEAD)
    for heading in _HEADINGS[3:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for cells in _rows(history):
        table.add_row(*map(printable, cells))
    if not console.is_terminal:
        wide = console.options.update(width=_WIDE)
        console.width = max(80, Measurement.get(console, wide, table).maximum)
    console.print(table)
    console.print(printable(verdict(history)), soft_wrap=True)


def verdict(history: History) -> str:
    """One line: when all metrics were within their tolerance, and what was run after that."""
    last = history.last
    if last is None:
        return "no metric whose direction is known"
    count = len(history.logs)
    of = "training" if count == 1 else f"{count} trainings, mean (least to greatest)"
    what = f"all {last.measured} metrics are within {history.tolerance:g} of their best"
    hours = "time not in the log, give --minutes-per-epoch"
    if last.hours_after is not None:
        hours = f"{_text(last.hours_after, 2)} hours"
    after = f"epochs that were run after it: {_text(last.epochs_after, 0)} ({hours})"
    return f"{of}: {what} by epoch {_text(last.epoch, 0)}; {after}"


def history_markdown(history: History) -> str:
    """The terminal's table as Markdown, with the verdict below."""
    rows = [_HEADINGS, ("---",) * len(_HEADINGS), *_rows(history)]
    lines = (f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows)
    return "\n".join([*lines, "", verdict(history).capitalize() + ".", ""])


def history_csv(history: History) -> str:
    """A row for each metric of each training."""
    rows = (
        [
            str(log.path),
            stop.metric,
            label_of(stop.metric, history.labels),
            stop.measured,
            stop.better,
            stop.best,
            stop.best_epoch,
            stop.epoch,
            stop.value,
            stop.epochs_after,
            None if stop.hours_after is None else round(stop.hours_after, 4),
        ]
        for log, stops in zip(history.logs, history.stops, strict=True)
        for stop in stops
    )
    return csv_text(_COLUMNS, rows)


def history_json(history: History) -> str:
    """Everything as JSON: each training with its stops, and the metrics over trainings."""
    content: dict[str, Any] = {
        "tolerance": history.tolerance,
        "trainings": [
            {
                "log": str(log.path),
                "kind": log.kind,
                "epochs": len(log.epochs),
                "first_epoch": log.epochs[0],
                "last_epoch": log.epochs[-1],
                "stops": [asdict(stop) for stop in stops],
            }
            for log, stops in zip(history.logs, history.stops, strict=True)
        ],
        "metrics": [
            {"label": label_of(one.metric, history.labels), **asdict(one)}
            for one in history.metrics
        ],
        "last": None if history.last is None else asdict(history.last),
        "notes": list(history.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _rows(history: History) -> Sequence[tuple[str, ...]]:
    return [_cells(one, label_of(one.metric, history.labels)) for one in history.metrics]


def _cells(one: MetricSummary, label: str) -> tuple[str, ...]:
    return (
        label,
        one.measured,
        one.better,
        _text(one.best, 4),
        _text(one.epoch, 0),
        _text(one.epochs_after, 0),
        "" if one.hours_after is None else _text(one.hours_after, 2),
    )


def _text(of: Range, digits: int) -> str:
    if of.least == of.greatest:
        return f"{of.mean:.{digits}f}"
    mean = f"{of.mean:.{max(1, digits)}f}"
    return f"{mean} ({of.least:.{digits}f} to {of.greatest:.{digits}f})"
