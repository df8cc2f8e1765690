"""Scores as tables: for a terminal, for a spreadsheet, for a program.

All three hold every case, also the one that could not be scored: a table that leaves out
its failures tells of a better method than there is.
"""

import csv
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from medseg.metrics import METRICS, ClassScores, Metric, Summary, summarise

__all__ = ["Evaluation", "print_scores", "scores_csv", "scores_json"]

_HEADS: dict[Metric, str] = {
    "dsc": "DSC",
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "hd95_mm": "HD95 mm",
    "pred_ml": "pred ml",
    "label_ml": "label ml",
}
_DIGITS: dict[Metric, int] = {"hd95_mm": 1, "pred_ml": 1, "label_ml": 1}
# What a narrow terminal does without, in this order.
_DISPENSABLE: tuple[Metric, ...] = ("iou", "pred_ml", "label_ml", "precision", "recall")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What became of every case.

    Attributes:
        name: What was evaluated, in words.
        scores: Those of each scored case, the same classes in all; at least one case.
        failed: Why each of the others could not be scored.
    """

    name: str
    scores: Mapping[str, Sequence[ClassScores]]
    failed: Mapping[str, str]

    @property
    def summary(self) -> Summary:
        """Over the scored cases."""
        return summarise(self.scores)


def print_scores(evaluation: Evaluation, console: Console) -> None:
    """Print a row for each case and class, the means, the worst, what failed, a verdict.

    On a narrow terminal some columns are left out; in a file or a pipe, never.
    """
    metrics = list(METRICS)
    table = _table(evaluation, metrics)
    if not console.is_terminal:
        console.width = max(80, _width(table, console))
    for dispensable in _DISPENSABLE:
        if _width(table, console) <= console.width:
            break
        metrics.remove(dispensable)
        table = _table(evaluation, metrics)
    console.print(table)
    console.print(f"lowest DSC: {_lowest(evaluation)}", soft_wrap=True)
    for reason in evaluation.failed.values():
        console.print(f"failed  {reason}", style="red", soft_wrap=True)
    console.print(_verdict(evaluation), soft_wrap=True)


def scores_csv(evaluation: Evaluation, path: Path) -> None:
    """Write a row for each case and class, and one with its `error` for each failed case."""
    columns = ["case", *(field.name for field in dataclasses.fields(ClassScores)), "error"]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        for case, classes in evaluation.scores.items():
            table.writerows({"case": case, **dataclasses.asdict(one)} for one in classes)
        table.writerows(
            {"case": case, "error": reason} for case, reason in evaluation.failed.items()
        )


def scores_json(evaluation: Evaluation) -> str:
    """Scores, failures and summary as strict JSON, without NaN or infinity."""
    content: dict[str, Any] = {
        "name": evaluation.name,
        "scored": len(evaluation.scores),
        "failed": dict(evaluation.failed),
        "summary": dataclasses.asdict(evaluation.summary),
        "cases": {
            case: [dataclasses.asdict(one) for one in classes]
            for case, classes in evaluation.scores.items()
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(width=10_000), table).maximum


def _table(evaluation: Evaluation, metrics: Sequence[Metric]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for text in ("case", "class"):
        table.add_column(text, no_wrap=True)
    for metric in metrics:
        table.add_column(_HEADS[metric], justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for case, classes in evaluation.scores.items():
        for one in classes:
            cells = [_cell(metric, getattr(one, metric)) for metric in metrics]
            odd = "" if one.presence == "both" else one.presence
            style = "yellow" if one.presence in ("missed", "invented") else ""
            table.add_row(case, one.name, *cells, odd, style=style)
    table.add_section()
    summary = evaluation.summary
    for one in summary.classes:
        table.add_row("mean", one.name, *(_cell(m, one.metrics[m].mean) for m in metrics), "")
    if len(summary.classes) > 1:
        table.add_row("mean", "of the classes", *(_cell(m, summary.macro[m]) for m in metrics), "")
    return table


def _cell(metric: Metric, value: float) -> str:
    return f"{value:.{_DIGITS.get(metric, 3)}f}"


def _lowest(evaluation: Evaluation) -> str:
    """The worst case of each class, worst class first."""
    worst = sorted(evaluation.summary.classes, key=lambda one: one.metrics["dsc"].min)
    shown = [f"{one.name} {one.metrics['dsc'].min:.3f} in {one.worst_case}" for one in worst]
    more = f" and {len(worst) - _SHOWN} more classes" if len(worst) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def _verdict(evaluation: Evaluation) -> str:
    scored, failed = len(evaluation.scores), len(evaluation.failed)
    counts = [f"{scored} of {scored + failed} cases scored"]
    for presence in ("missed", "invented"):
        number = sum(one.presence.get(presence, 0) for one in evaluation.summary.classes)
        if number:
            counts.append(f"{number} {presence}")
    return f"{evaluation.name}: {', '.join(counts)}"
