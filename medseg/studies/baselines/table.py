"""Tables of classical baselines: each method by group of cases, and the agreement of volumes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from medseg._csv import csv_text
from medseg._text import printable
from medseg.metrics.summary import Metric, Summary
from medseg.reports.columns import cell, heading
from medseg.reports.tables import Evaluation, scores_json
from medseg.studies.baselines.agreement import Agreement, agreement
from medseg.studies.baselines.method import Method

__all__ = [
    "baselines_csv",
    "baselines_json",
    "baselines_markdown",
    "print_baselines",
    "volume_agreements",
]

# Those of the published tables of EBHI-Seg, in their order.
_METRICS: tuple[Metric, ...] = ("dsc", "iou", "conformity", "precision", "recall")
# Of a file or a pipe, which cut no table.
_WIDE = 1000

Evaluations = Mapping[Method, Evaluation]


def print_baselines(evaluations: Evaluations, console: Console) -> None:
    """Print a row for each method, group and class, then agreements of volumes, then failures."""
    rows = list(_text_rows(evaluations))
    table = Table(box=box.SIMPLE_HEAD)
    for number, name in enumerate(_headings(evaluations)):
        table.add_column(name, justify="left" if number < 3 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(printable, row))
    if not console.is_terminal:
        wide = console.options.update(width=_WIDE)
        console.width = max(80, Measurement.get(console, wide, table).maximum)
    console.print(table)
    for line in _agreement_lines(evaluations):
        console.print(printable(line), soft_wrap=True)
    for method, evaluation in evaluations.items():
        for reason in evaluation.failed.values():
            console.print(printable(f"failed  {method}: {reason}"), style="red", soft_wrap=True)


def baselines_markdown(evaluations: Evaluations) -> str:
    """The same as Markdown."""
    names = _headings(evaluations)
    rows = [names, ["---"] * len(names), *_text_rows(evaluations)]
    lines = [f"| {' | '.join(part.replace('|', '&#124;') for part in row)} |" for row in rows]
    told = [f"- {line}" for line in _agreement_lines(evaluations)]
    failed = [
        f"- {method} failed: {reason}"
        for method, evaluation in evaluations.items()
        for reason in evaluation.failed.values()
    ]
    return "\n".join([*lines, *([""] if told or failed else []), *told, *failed, ""])


def baselines_csv(evaluations: Evaluations) -> str:
    """Means of every method, group and class, not rounded."""
    columns = ("method", "group", "class", "cases", *_METRICS)
    rows = (
        [method, group, one.name, one.cases, *(one.metrics[m].mean for m in _METRICS)]
        for method, evaluation in evaluations.items()
        for group, summary in _summaries(evaluation)
        for one in summary.classes
    )
    return csv_text(columns, rows)


def baselines_json(evaluations: Evaluations, settings: Mapping[str, Any]) -> str:
    """Everything as JSON: of each method what `scores.json` has, and the agreement of volumes."""
    content = {
        "settings": dict(settings),
        "methods": {
            method: {
                **json.loads(scores_json(evaluation)),
                "volume_agreement": {
                    name: vars(one) for name, one in volume_agreements(evaluation).items()
                },
            }
            for method, evaluation in evaluations.items()
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def volume_agreements(evaluation: Evaluation) -> dict[str, Agreement]:
    """Agreement of each class's volumes with the reference's, in ml; none of pictures."""
    if evaluation.unit == "px":
        return {}
    found: dict[str, Agreement] = {}
    for place, one in enumerate(next(iter(evaluation.scores.values()))):
        volumes = [
            (classes[place].pred_ml, classes[place].label_ml)
            for classes in evaluation.scores.values()
        ]
        measured, reference = np.array(volumes).T
        agreed = agreement(measured, reference)
        if agreed is not None:
            found[one.name] = agreed
    return found


def _headings(evaluations: Evaluations) -> list[str]:
    first = next(iter(evaluations.values()))
    names = [heading(metric, first.criteria, first.unit) for metric in _METRICS]
    return ["method", "cases", "class", *names]


def _text_rows(evaluations: Evaluations) -> Iterator[Sequence[str]]:
    for method, evaluation in evaluations.items():
        for group, summary in _summaries(evaluation):
            for one in summary.classes:
                spreads = [one.metrics[metric] for metric in _METRICS]
                cells = [
                    cell(metric, spread.mean, spread.ci95 if metric == "dsc" else ())
                    for metric, spread in zip(_METRICS, spreads, strict=True)
                ]
                yield [method, f"{one.cases} {group}".strip(), one.name, *cells]
        if evaluation.by_group is not None:
            means, ends = evaluation.by_group.macro, evaluation.by_group.macro_ci95
            cells = [cell(m, means[m], ends[m] if m == "dsc" else ()) for m in _METRICS]
            yield [method, "mean of the groups", "", *cells]


def _summaries(evaluation: Evaluation) -> Iterator[tuple[str, Summary]]:
    """Of each group of cases, and of all."""
    if evaluation.by_group is not None:
        yield from evaluation.by_group.groups.items()
    yield "", evaluation.summary


def _agreement_lines(evaluations: Evaluations) -> Iterator[str]:
    for method, evaluation in evaluations.items():
        for name, one in volume_agreements(evaluation).items():
            low, high = one.icc_ci95
            yield (
                f"{method}, volumes of {name} in {one.cases} cases: ICC(2,1) {one.icc:.2f} "
                f"[{low:.2f}, {high:.2f}], bias {one.bias:.0f} ± {one.bias_sd:.0f} ml"
            )
