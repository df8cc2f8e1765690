"""Score tables: terminal, CSV and JSON.

All three list every case, including those that could not be scored: a table that leaves out
failures describes a better method than there is.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from medseg._checks import first_few
from medseg._csv import csv_text
from medseg._text import printable
from medseg.data.problems import Problem, warning_lines
from medseg.metrics.class_scores import ClassScores
from medseg.metrics.criteria import Criteria
from medseg.metrics.groups import GroupSummary, summarise_groups
from medseg.metrics.instances import InstanceScores
from medseg.metrics.summary import Estimate, Metric, Summary, summarise
from medseg.reports.columns import DEFAULT_METRICS, Unit, cell, heading, in_unit, keys_in_unit
from medseg.reports.instances import instances_content, print_instances

__all__ = ["Evaluation", "print_scores", "scores_csv", "scores_json"]

# Columns that a narrow terminal omits, in this order.
_DISPENSABLE: tuple[Metric, ...] = (
    "iou",
    "assd_mm",
    "pred_ml",
    "label_ml",
    "precision",
    "recall",
    "volume_error_percent",
    "nsd",
)
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Result of an evaluation: the scores of every case, or why it failed.

    Attributes:
        name: What was evaluated, for the title.
        scores: Of each scored case, the same classes in all; at least one case.
        failed: Reason for each case that could not be scored.
        criteria: Tolerance and lesion overlap used.
        groups: Group of each case that has one, such as its tissue class.
        unit: Unit of lengths: `mm` for volumes, `px` for pictures.
        instances: Instance scores of each case, for instance labels; else empty.
        warnings: What is remarkable about the labels of a scored case, if anything is.
    """

    name: str
    scores: Mapping[str, Sequence[ClassScores]]
    failed: Mapping[str, str]
    criteria: Criteria = dataclasses.field(default_factory=Criteria)
    groups: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    unit: Unit = "mm"
    instances: Mapping[str, InstanceScores] = dataclasses.field(
        default_factory=dict[str, InstanceScores]
    )
    warnings: Mapping[str, Sequence[Problem]] = dataclasses.field(
        default_factory=dict[str, Sequence[Problem]]
    )

    @functools.cached_property
    def summary(self) -> Summary:
        """Summary over the scored cases."""
        return summarise(self.scores)

    @functools.cached_property
    def by_group(self) -> GroupSummary | None:
        """Summary over the scored cases of each group; None if no scored case has a group."""
        grouped = any(case in self.groups for case in self.scores)
        return summarise_groups(self.scores, self.groups) if grouped else None


def print_scores(
    evaluation: Evaluation, console: Console, metrics: Sequence[Metric] | None = None
) -> None:
    """Print a row per case and class, the means, the worst cases, failures and a count.

    Instance scores are printed as a second table.

    Args:
        evaluation: Scores and failures.
        console: Output console.
        metrics: The columns, whatever the terminal's width. By default `DEFAULT_METRICS`, some
            of which are omitted on a narrow terminal, but never in a file or a pipe.
    """
    columns = list(metrics or DEFAULT_METRICS)
    table = _table(evaluation, columns)
    if metrics or not console.is_terminal:
        console.width = max(80, _width(table, console))
    for dispensable in () if metrics else _DISPENSABLE:
        if _width(table, console) <= console.width:
            break
        columns.remove(dispensable)
        table = _table(evaluation, columns)
    console.print(table)
    if len(evaluation.scores) > 1:
        means = printable(f"mean DSC with its 95 % interval: {_intervals(evaluation)}")
        console.print(means, soft_wrap=True)
    console.print(printable(f"lowest DSC: {_lowest(evaluation)}"), soft_wrap=True)
    if evaluation.instances:
        print_instances(evaluation.instances, console)
    for line in warning_lines(evaluation.warnings):
        console.print(printable(f"warning  {line}"), style="yellow", soft_wrap=True)
    for reason in evaluation.failed.values():
        console.print(printable(f"failed  {reason}"), style="red", soft_wrap=True)
    console.print(printable(_verdict(evaluation)), soft_wrap=True)


def scores_csv(evaluation: Evaluation) -> str:
    """CSV with a row for each case and class, and a row with an `error` for each failed case."""
    group = ["group"] if evaluation.groups else []
    fields = [in_unit(field.name, evaluation.unit) for field in dataclasses.fields(ClassScores)]
    remarks = ["remarks"] if evaluation.warnings else []
    columns = ["case", *group, *fields, *remarks, "error"]
    rows: list[dict[str, Any]] = []
    for case, classes in evaluation.scores.items():
        named = _named(evaluation, case)
        if case in evaluation.warnings:
            named["remarks"] = " | ".join(one.text for one in evaluation.warnings[case])
        values = [keys_in_unit(dataclasses.asdict(one), evaluation.unit) for one in classes]
        rows += [{**named, **one} for one in values]
    for case, reason in evaluation.failed.items():
        rows.append({**_named(evaluation, case), "error": reason})
    return csv_text(columns, ([row.get(column, "") for column in columns] for row in rows))


def scores_json(evaluation: Evaluation) -> str:
    """Scores, failures and summary as strict JSON, without NaN or infinity."""
    content: dict[str, Any] = {
        "name": evaluation.name,
        "scored": len(evaluation.scores),
        "failed": dict(evaluation.failed),
        "criteria": keys_in_unit(dataclasses.asdict(evaluation.criteria), evaluation.unit),
        "summary": keys_in_unit(dataclasses.asdict(evaluation.summary), evaluation.unit),
        "cases": {
            case: [keys_in_unit(dataclasses.asdict(one), evaluation.unit) for one in classes]
            for case, classes in evaluation.scores.items()
        },
    }
    if evaluation.by_group is not None:
        content["groups"] = dict(evaluation.groups)
        content["by_group"] = keys_in_unit(dataclasses.asdict(evaluation.by_group), evaluation.unit)
    if evaluation.instances:
        content["instances"] = instances_content(evaluation.instances)
    if evaluation.warnings:
        content["warnings"] = {
            case: [problem.text for problem in problems]
            for case, problems in evaluation.warnings.items()
        }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    # A name that is not UTF-8.
    return text.encode(errors="replace").decode() + "\n"


def _named(evaluation: Evaluation, case: str) -> dict[str, str]:
    group = evaluation.groups.get(case)
    return {"case": case} if group is None else {"case": case, "group": group}


def _width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(width=10_000), table).maximum


def _table(evaluation: Evaluation, metrics: Sequence[Metric]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for text in ("case", "class"):
        table.add_column(text, no_wrap=True)
    for metric in metrics:
        text = heading(metric, evaluation.criteria, evaluation.unit)
        table.add_column(text, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for case, classes in evaluation.scores.items():
        for one in classes:
            cells = [cell(metric, getattr(one, metric)) for metric in metrics]
            odd = "" if one.presence == "both" else one.presence
            style = "yellow" if one.presence in ("missed", "invented") else ""
            table.add_row(printable(case), printable(one.name), *cells, odd, style=style)
    table.add_section()
    _add_means(table, evaluation.summary, metrics)
    if evaluation.by_group is not None:
        table.add_section()
        _add_groups(table, evaluation.by_group, metrics)
    return table


def _add_means(table: Table, summary: Summary, metrics: Sequence[Metric]) -> None:
    for one in summary.classes:
        table.add_row("mean", one.name, *(cell(m, one.metrics[m].mean) for m in metrics), "")
    several = len(summary.classes) > 1
    if several:
        table.add_row("mean", "of the classes", *(cell(m, summary.macro[m]) for m in metrics), "")
    if summary.classes[0].cases > 1:
        for one in summary.classes:
            table.add_row("pooled", one.name, *_pooled_cells(one.micro, metrics), "")
        if several:
            table.add_row("pooled", "all classes", *_pooled_cells(summary.micro, metrics), "")


def _add_groups(table: Table, by_group: GroupSummary, metrics: Sequence[Metric]) -> None:
    for group, summary in by_group.groups.items():
        for one in summary.classes:
            cells = [cell(metric, one.metrics[metric].mean) for metric in metrics]
            table.add_row(f"mean of {one.cases} {group}", one.name, *cells, "")
    table.add_row("mean of the groups", "", *(cell(m, by_group.macro[m]) for m in metrics), "")


def _pooled_cells(micro: Mapping[Metric, Estimate], metrics: Sequence[Metric]) -> Iterator[str]:
    for metric in metrics:
        yield cell(metric, micro[metric].value) if metric in micro else ""


def _intervals(evaluation: Evaluation) -> str:
    """Mean DSC with its interval, of each class and averaged over classes."""
    summary = evaluation.summary
    spreads = [(one.name, one.metrics["dsc"]) for one in summary.classes]
    texts = [f"{name} {cell('dsc', spread.mean, spread.ci95)}" for name, spread in spreads]
    mean = ""
    if len(texts) > 1:
        mean = f"; of the classes {cell('dsc', summary.macro['dsc'], summary.macro_ci95['dsc'])}"
    groups = evaluation.by_group
    if groups is not None:
        mean += f"; of the groups {cell('dsc', groups.macro['dsc'], groups.macro_ci95['dsc'])}"
    return first_few(texts, _SHOWN, noun="classes") + mean


def _lowest(evaluation: Evaluation) -> str:
    """The worst case of each class, worst class first."""
    worst = sorted(evaluation.summary.classes, key=lambda one: one.metrics["dsc"].min)
    texts = (f"{one.name} {one.metrics['dsc'].min:.3f} in {one.worst_case}" for one in worst)
    return first_few(texts, _SHOWN, noun="classes")


def _verdict(evaluation: Evaluation) -> str:
    scored, failed = len(evaluation.scores), len(evaluation.failed)
    counts = [f"{scored} of {scored + failed} cases scored"]
    for presence in ("missed", "invented"):
        number = sum(one.presence.get(presence, 0) for one in evaluation.summary.classes)
        if number:
            counts.append(f"{number} {presence}")
    return f"{evaluation.name}: {', '.join(counts)}"
