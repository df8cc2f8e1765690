"""Tables of a prediction: `volumes.csv` and `summary.json`, written from the ledger."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medseg._files import remove_remains, write_atomically
from medseg.data.output_names import SUMMARY, VOLUMES
from medseg.data.wording import in_words
from medseg.errors import UsageError
from medseg.networks.provenance import Provenance, provenance_json
from medseg.prediction.cases import LeftOut, Refused
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.plan import Settings
from medseg.reports.volumes import REMARKS, volumes_csv

__all__ = [
    "RunningTable",
    "refuse_foreign_tables",
    "volumes_line",
    "write_summary",
    "write_volumes",
]

# Least pause between two writings of a table, in seconds and in durations of a writing.
_INTERVAL_SECONDS = 5.0
_PAUSE = 20


def refuse_foreign_tables(output: Path, ledger: Ledger) -> None:
    """Refuse to replace existing tables in a folder without a ledger, as they are not ours.

    Raises:
        UsageError: For the first such table.
    """
    for name in (VOLUMES, SUMMARY):
        if (output / name).exists() and not ledger.exists():
            raise UsageError(f"{output / name} already exists; use --overwrite or another -o")


class RunningTable:
    """`volumes.csv` while a cohort is predicted: renewed now and then, not after every case.

    Each writing reads the whole ledger. It happens at most every few seconds and takes at most a
    twentieth of the time, so the cost is linear in the number of cases, not quadratic.

    Args:
        ledger: Ledger of the folder.
        clock: Returns seconds.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        self._next = clock() + _INTERVAL_SECONDS

    def renew(self) -> None:
        """Write the table, if the pause since the last writing is over."""
        begun = self._clock()
        if begun >= self._next:
            write_volumes(self._ledger)
            ended = self._clock()
            self._next = ended + max(_INTERVAL_SECONDS, _PAUSE * (ended - begun))


def write_volumes(ledger: Ledger) -> None:
    """Write `volumes.csv` with all done cases of the folder."""
    with ledger.held() as entries:
        rows = {entry.name: _row(entry) for entry in entries if entry.status == "done"}
        _write(ledger.path.with_name(VOLUMES), volumes_csv(rows))


def write_summary(
    ledger: Ledger,
    settings: Settings,
    refused: Sequence[Refused] = (),
    left_out: Sequence[LeftOut] = (),
) -> None:
    """Write `summary.json`: this run's settings, and the status of all cases of the folder.

    Args:
        ledger: Ledger of the folder.
        settings: Settings of this run.
        refused: Inputs of this run in which no case was found.
        left_out: What was left out of inputs of this run, by reason.
    """
    with ledger.held() as entries:
        content = {
            **settings.content,
            "settings_sha256": settings.digest,
            **_labels_json(entries),
            "weights": _weights_json(settings.provenance),
            "classes": _classes(entries, settings),
            "cases": [_as_json(entry) for entry in entries],
            "refused": [{"input": one.shown, "error": one.without_path} for one in refused],
            "left_out": [
                {"input": one.shown, "what": one.what, "count": one.count} for one in left_out
            ],
        }
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        _write(ledger.path.with_name(SUMMARY), text)


def volumes_line(entry: Entry) -> str:
    """One line such as `lung 3120.4 ml, infection 55.1 ml`, or `cell 61.3 %, 14 of them`."""
    parts: list[str] = []
    for column, value in entry.columns.items():
        name, _, unit = column.rpartition("_")
        if unit == "ml":
            parts.append(f"{in_words(name)} {value} ml")
        if unit == "percent":
            parts.append(f"{in_words(name)} {value} %")
        if unit == "count":
            parts.append(f"{value} of them")
    return ", ".join(parts) or "done"


def _write(path: Path, text: str) -> None:
    """Write a table; the caller holds the ledger's lock, so no other process writes it."""
    remove_remains(path)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _row(entry: Entry) -> dict[str, str]:
    """The columns of a case; the last is what is remarkable about its image, if anything is."""
    remarks = {REMARKS: " | ".join(entry.warnings)} if entry.warnings else {}
    return {**entry.columns, **remarks}


def _labels_json(entries: Sequence[Entry]) -> dict[str, Any]:
    """What the labels of the folder are, unless they are of several bundles."""
    kinds = {
        (entry.label_kind, tuple(entry.class_names)) for entry in entries if entry.status == "done"
    }
    if len(kinds) != 1:
        return {}
    ((kind, names),) = kinds
    return {} if kind is None else {"label_kind": kind, "class_names": list(names)}


def _weights_json(weights: Provenance) -> dict[str, Any]:
    """Who trained the weights on what, and the caution that goes with every result."""
    stated = provenance_json(replace(weights, images=None))
    return {**stated, "tensors_sha256": weights.tensors_sha256, "caution": weights.caution}


def _classes(entries: Sequence[Entry], settings: Settings) -> list[Mapping[str, Any]]:
    """Names and codes of the classes, as recorded with the cases of these settings."""
    of_this_run = (entry for entry in entries if entry.settings == settings.digest)
    nothing: list[Mapping[str, Any]] = []
    return next((list(entry.classes) for entry in of_this_run if entry.classes), nothing)


def _as_json(entry: Entry) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "case": entry.name,
        "source": entry.source,
        "status": entry.status,
        "engine": entry.engine,
        "settings_sha256": entry.settings,
        "outputs": dict(entry.outputs),
        "dicom": dict(entry.facts),
        "warnings": list(entry.warnings),
        "error": entry.error,
    }
    return {name: value for name, value in parts.items() if value not in (None, {}, [])}
