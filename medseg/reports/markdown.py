"""Scores as Markdown, for a model card: means with intervals, every case, every failure."""

from collections.abc import Iterable, Iterator, Sequence

from medseg.metrics.summary import Metric
from medseg.reports.columns import DEFAULT_METRICS, cell, heading
from medseg.reports.instances import instance_rows
from medseg.reports.tables import Evaluation

__all__ = ["scores_markdown"]


def scores_markdown(evaluation: Evaluation, metrics: Sequence[Metric] = DEFAULT_METRICS) -> str:
    """Markdown tables: means over cases, means of each group if there are any, then each case.

    They are followed by instance scores, if there are any, and by failures.

    Args:
        evaluation: Scores and failures.
        metrics: The columns.
    """
    headings = [heading(metric, evaluation.criteria, evaluation.unit) for metric in metrics]
    groups = list(_groups(evaluation, metrics))
    parts = [
        f"## {_text(evaluation.name)}",
        f"{_cases(evaluation)} In brackets: 95 % bootstrap interval over cases. Pooled: all cases "
        "counted as one image.",
        _table(["class", "missed", "invented", *headings], _means(evaluation, metrics)),
        *([_table(["group", "cases", "class", *headings], groups)] if groups else []),
        _table(["case", "class", "presence", *headings], _rows(evaluation, metrics)),
        *_instances(evaluation),
        "\n".join(f"- failed: {_text(reason)}" for reason in evaluation.failed.values()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _instances(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.instances:
        head, *rows = instance_rows(evaluation.instances)
        yield "Objects, matched at an IoU above 0.5:"
        yield _table(head, rows)


def _cases(evaluation: Evaluation) -> str:
    scored, failed = len(evaluation.scores), len(evaluation.failed)
    return f"{scored} of {scored + failed} cases scored."


def _means(evaluation: Evaluation, metrics: Sequence[Metric]) -> Iterator[list[str]]:
    summary = evaluation.summary
    several = len(evaluation.scores) > 1
    for one in summary.classes:
        spreads = one.metrics
        ends = [spreads[metric].ci95 if several else () for metric in metrics]
        cells = [cell(m, spreads[m].mean, ci95) for m, ci95 in zip(metrics, ends, strict=True)]
        counts = [str(one.presence.get(kind, 0)) for kind in ("missed", "invented")]
        yield [one.name, *counts, *cells]
    if len(summary.classes) > 1:
        ends = [summary.macro_ci95[metric] if several else () for metric in metrics]
        cells = [cell(m, summary.macro[m], ci95) for m, ci95 in zip(metrics, ends, strict=True)]
        yield ["mean of the classes", "", "", *cells]
    pooled = [(f"{one.name}, pooled", one.micro) for one in summary.classes]
    if len(summary.classes) > 1:
        pooled.append(("all classes, pooled", summary.micro))
    for name, micro in pooled if several else ():
        cells = [cell(m, micro[m].value, micro[m].ci95) if m in micro else "" for m in metrics]
        yield [name, "", "", *cells]


def _groups(evaluation: Evaluation, metrics: Sequence[Metric]) -> Iterator[list[str]]:
    by_group = evaluation.by_group
    for group, summary in by_group.groups.items() if by_group else ():
        for one in summary.classes:
            spreads = [one.metrics[metric] for metric in metrics]
            ends = [spread.ci95 if one.cases > 1 else () for spread in spreads]
            cells = [
                cell(m, s.mean, ci95) for m, s, ci95 in zip(metrics, spreads, ends, strict=True)
            ]
            yield [group, str(one.cases), one.name, *cells]
    if by_group:
        cells = [cell(m, by_group.macro[m], by_group.macro_ci95[m]) for m in metrics]
        yield ["mean of the groups", "", "", *cells]


def _rows(evaluation: Evaluation, metrics: Sequence[Metric]) -> Iterator[list[str]]:
    for case, classes in evaluation.scores.items():
        for one in classes:
            cells = [cell(metric, getattr(one, metric)) for metric in metrics]
            yield [case, one.name, one.presence, *cells]


def _table(headings: Sequence[str], rows: Iterable[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(_text, line))} |" for line in lines)


def _text(words: str) -> str:
    return words.replace("|", "\\|")
