"""CSV tables of a study: rows, runs, cases and groups; and apart from them, costs in time.

What depends on the machine's load (minutes, memory, milliseconds) stands in `costs.csv` alone, so
that all other tables are equal when a study was killed and resumed.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from medseg._csv import csv_text
from medseg.studies.pages.averages import metric_names, run_mean
from medseg.studies.pages.contents import Contents
from medseg.studies.results import RunResult, StudyResults
from medseg.studies.statistics_types import Comparison

__all__ = ["averages_csv", "cases_csv", "costs_csv", "rows_csv", "runs_csv"]

_RUN = ("row", "seed", "fold")
# Of voxels, whose averages say nothing.
_COUNTS = ("tp", "fp", "fn", "tn")
# Digits that no sum in another order changes, and more than any table shows.
_DIGITS = 9


def rows_csv(contents: Contents) -> str:
    """A line for each row: score, difference, tests, verdict, rank, classes, what it changes."""
    lines = [_row_line(contents, one) for one in contents.summary.rows]
    classes = dict.fromkeys(f"mean {name}" for one in contents.summary.rows for name in one.classes)
    columns = [name for name in lines[0] if name != "overrides"] if lines else []
    for line, one in zip(lines, contents.summary.rows, strict=True):
        line.update({f"mean {name}": _cell(value) for name, value in one.classes.items()})
    return _table([*columns, *classes, "overrides"], lines)


def runs_csv(results: StudyResults) -> str:
    """A line for each run, those that failed too: score, losses, epochs, size, reason."""
    columns = [*_RUN, "digest", results.score, "train_loss", "held_out_loss", "loss_difference"]
    columns += ["iterations", "epochs", "best_epoch", "parameters", "macs", "cases", "reason"]
    return _table(columns, (_run_line(results, run) for run in results.runs))


def cases_csv(results: StudyResults, metrics: Sequence[str] | None = None) -> str:
    """A line for each class of each case of each run.

    Args:
        results: All runs.
        metrics: Columns; by default, all that were scored.
    """
    names = metric_names(results) if metrics is None else metrics
    lines = (
        {
            **_named(run),
            **{"case": one.case, "group": one.group, "class": one.class_name},
            **{name: _cell(one.values[name]) for name in names if name in one.values},
        }
        for run in results.runs
        for one in run.cases
    )
    return _table([*_RUN, "case", "group", "class", *names], lines)


def averages_csv(contents: Contents) -> str:
    """A line for each row, class or kind of average, and group of cases, in every metric."""
    metrics = metric_names(contents.results)
    lines = (
        {
            **{"row": row.row, "group": one.group, "average": one.name, "cases": one.cases},
            **{name: _cell(value) for name, value in one.values.items()},
        }
        for row in contents.summary.rows
        for one in row.averages
    )
    columns = [name for name in metrics if name not in _COUNTS]
    return _table(["row", "group", "average", "cases", *columns], lines)


def costs_csv(results: StudyResults) -> str:
    """A line for each scored run: what depends on the machine and its load."""
    columns = ["minutes", "peak_memory_gb", "case_ms"]
    lines = (
        {**_named(run), **{name: _cell(getattr(run.cost, name)) for name in columns}}
        for run in results.runs
        if run.cost
    )
    return _table([*_RUN, *columns], lines)


def _row_line(contents: Contents, one: Comparison) -> dict[str, object]:
    name, score = contents.score, one.score
    low, high = (score and score.ci95) or (None, None)
    difference_low, difference_high = one.difference_ci95 or (None, None)
    published = contents.results.published.get(one.row, ("", ""))
    rank = next((ranked for ranked in contents.summary.ranking if ranked.row == one.row), None)
    return {
        "row": one.row,
        "runs": one.runs,
        "failed": len(one.failed),
        name: _cell(score and score.mean),
        f"{name}_sd": _cell(score and score.sd),
        f"{name}_low": _cell(low),
        f"{name}_high": _cell(high),
        "difference": _cell(one.difference),
        "difference_low": _cell(difference_low),
        "difference_high": _cell(difference_high),
        "p": _cell(one.p_value),
        "p_holm": _cell(one.p_holm),
        "p_mean": _cell(one.p_mean),
        "p_mean_holm": _cell(one.p_mean_holm),
        "effect_size": _cell(one.effect_size),
        "smallest_difference": _cell(one.smallest_difference),
        "probability_better": _cell(one.probability_better),
        "finding": one.finding,
        "verdict": one.verdict,
        "notes": "; ".join(one.notes),
        "published": published[0],
        "published_note": published[1],
        "reproduced": one.published,
        "rank": rank and rank.rank,
        "rank_low": rank and rank.rank_ci95[0],
        "rank_high": rank and rank.rank_ci95[1],
        "first_share": _cell(rank and rank.first_share),
        "overrides": json.dumps(contents.results.overrides.get(one.row, {}), default=str),
    }


def _run_line(results: StudyResults, run: RunResult) -> dict[str, object]:
    line: dict[str, object] = {**_named(run), "digest": run.digest}
    line["reason"] = run.reason
    line["cases"] = len({one.case for one in run.cases})
    if run.cases:
        line[results.score] = _cell(run_mean(run, results.score))
    if run.losses:
        line["train_loss"], line["held_out_loss"] = map(
            _cell, (run.losses.train, run.losses.held_out)
        )
        line["loss_difference"] = _cell(abs(run.losses.train - run.losses.held_out))
    for name in ("iterations", "epochs", "best_epoch", "parameters", "macs"):
        line[name] = getattr(run.cost, name, None)
    return line


def _named(run: RunResult) -> dict[str, object]:
    return {name: getattr(run, name) for name in _RUN}


def _cell(value: float | None) -> float | None:
    """Rounded; nothing for what is not a number."""
    return None if value is None or math.isnan(value) else float(f"{value:.{_DIGITS}g}")


def _table(columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> str:
    return csv_text(columns, ([line.get(name) for name in columns] for line in lines))
