"""Look-up table of labels: what a picture and a table call the metrics of a log."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from medseg.errors import UsageError
from medseg.studies.history.metric import plain_name

__all__ = ["Labels", "label_of", "read_labels"]

# By name of a metric, with or without `val_`.
Labels = Mapping[str, str]

_FORM = "a label a line, as 'vsat_dice: VAT Dice Score' (YAML) or 'vsat_dice,VAT Dice Score' (CSV)"


def label_of(name: str, labels: Labels) -> str:
    """Label of a metric: its own, or that of its plain name, or else the plain name in words."""
    plain = plain_name(name)
    return labels.get(name) or labels.get(plain) or plain.replace("_", " ")


def read_labels(file: Path | None, pairs: Sequence[str] = ()) -> dict[str, str]:
    """Read labels.

    Args:
        file: A YAML file of names and labels, or a CSV file with two columns; a row of the headings
            `metric,label` is skipped.
        pairs: More, as `NAME=LABEL`; they count before the file's.

    Raises:
        UsageError: If the file cannot be read or is not of that form, or a pair has no `=`.
    """
    labels = {} if file is None else _of_file(file)
    for pair in pairs:
        name, equals, label = pair.partition("=")
        if not equals or not name.strip() or not label.strip():
            raise UsageError(f"--label {pair}: must be NAME=LABEL, as 'vsat_dice=VAT Dice Score'")
        labels[name.strip()] = label.strip()
    return labels


def _of_file(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot read the labels ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is no text; use {_FORM}") from error
    return _of_csv(file, text) if file.suffix.lower() == ".csv" else _of_yaml(file, text)


def _of_csv(file: Path, text: str) -> dict[str, str]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if row]
    wrong = next((number for number, row in enumerate(rows, start=1) if len(row) != 2), None)
    if wrong is not None:
        raise UsageError(f"{file}: line {wrong} has not two cells; use {_FORM}")
    return {name: label for name, label in rows if (name, label) != ("metric", "label")}


def _of_yaml(file: Path, text: str) -> dict[str, str]:
    try:
        content: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: is not valid YAML; use {_FORM}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file}: must be names and labels; use {_FORM}")
    return {str(name): str(label) for name, label in cast("dict[Any, Any]", content).items()}
