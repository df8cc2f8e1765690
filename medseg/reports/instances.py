"""Tables of instance scores: terminal, CSV, JSON, Markdown."""

import dataclasses
from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from medseg._csv import csv_text
from medseg._text import printable
from medseg.metrics.instances import InstanceScores, pooled_instances

__all__ = [
    "OBJECT_SCORES",
    "instance_rows",
    "instances_content",
    "instances_csv",
    "print_instances",
]

Scores = Mapping[str, InstanceScores]
_COUNTS = ("label_objects", "pred_objects", "matched")
OBJECT_SCORES = ("seg", "sq", "rq", "pq")
_HEADINGS: tuple[str, ...] = ("case", "label", "pred", "matched", "SEG", "SQ", "RQ", "PQ")


def print_instances(scores: Scores, console: Console) -> None:
    """Print a row for each case, the mean over cases, and the pooled scores.

    Args:
        scores: Instance scores of each case.
        console: Output console.
    """
    table = Table(box=box.SIMPLE_HEAD, title="objects", title_justify="left")
    head, *rows = instance_rows(scores)
    for place, text in enumerate(head):
        table.add_column(text, justify="right" if place else "left", no_wrap=True)
    for place, row in enumerate(rows):
        table.add_row(*map(printable, row), end_section=place + 1 == len(scores))
    console.print(table)


def instance_rows(scores: Scores) -> list[list[str]]:
    """The table as text: headings, one row per case, and mean and pooled scores of several.

    `matched` counts pairs with an IoU above 0.5. The scores are explained in `InstanceScores`.
    """
    rows = [list(_HEADINGS), *(_row(case, _numbers(one)) for case, one in scores.items())]
    if len(scores) > 1:
        means = {
            name: fmean(_numbers(one)[name] for one in scores.values()) for name in OBJECT_SCORES
        }
        rows.append(_row("mean", means))
        rows.append(_row("pooled", _numbers(pooled_instances(scores.values()))))
    return rows


def instances_csv(scores: Scores) -> str:
    """CSV with one row per case, and the counts from which scores can be pooled."""
    columns = ["case", *_content(next(iter(scores.values())))]
    return csv_text(columns, ([case, *_content(one).values()] for case, one in scores.items()))


def instances_content(scores: Scores) -> dict[str, Any]:
    """JSON content: the scores of each case, and those of all cases as one image as `pooled`."""
    return {
        "cases": {case: _content(one) for case, one in scores.items()},
        "pooled": _content(pooled_instances(scores.values())),
    }


def _content(one: InstanceScores) -> dict[str, float]:
    return {**dataclasses.asdict(one), **{name: getattr(one, name) for name in OBJECT_SCORES}}


def _numbers(one: InstanceScores) -> dict[str, float]:
    return {name: getattr(one, name) for name in (*_COUNTS, *OBJECT_SCORES)}


def _row(name: str, numbers: Mapping[str, float]) -> list[str]:
    return [name, *_cells(numbers)]


def _cells(numbers: Mapping[str, float]) -> Iterator[str]:
    for count in _COUNTS:
        yield str(int(numbers[count])) if count in numbers else ""
    for score in OBJECT_SCORES:
        yield f"{numbers[score]:.3f}"
