"""Averages of cases that the pages show: of a run, and of each group of cases."""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from medseg.studies.results import CaseScore, RunResult, StudyResults

__all__ = ["WHOLE_CASE", "group_means", "group_names", "metric_names", "run_mean", "scored_runs"]

# Name under which scores of a case as a whole stand, such as of its objects.
WHOLE_CASE = "all"


def scored_runs(results: StudyResults, row: str) -> list[RunResult]:
    """Runs of a row that did not fail, in the order of their folds and seeds."""
    runs = (run for run in results.runs if run.row == row and not run.reason and run.cases)
    return sorted(runs, key=lambda run: (run.fold, run.seed))


def run_mean(run: RunResult, metric: str) -> float:
    """Mean of a run's classes, each the mean of its cases; NaN if the metric was not scored."""
    return _mean_of_classes(run.cases, metric)


def group_names(results: StudyResults) -> list[str]:
    """Groups of the cases, by name; empty if the cases have none."""
    return sorted({one.group for run in results.runs for one in run.cases if one.group})


def group_means(results: StudyResults, row: str, metric: str) -> dict[str, float]:
    """Mean of a row's runs by group of cases, over the group's classes; NaN without a case."""
    runs = scored_runs(results, row)
    return {
        group: _mean(
            _mean_of_classes([one for one in run.cases if one.group == group], metric)
            for run in runs
        )
        for group in group_names(results)
    }


def metric_names(results: StudyResults) -> list[str]:
    """All metrics of the cases, in the order in which they first occur."""
    found: dict[str, None] = {}
    for run in results.runs:
        for one in run.cases:
            found.update(dict.fromkeys(one.values))
    return list(found)


def _mean_of_classes(cases: Sequence[CaseScore], metric: str) -> float:
    by_class: dict[str, list[float]] = {}
    for one in cases:
        if metric in one.values:
            by_class.setdefault(one.class_name, []).append(one.values[metric])
    return _mean(_mean(values) for values in by_class.values())


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else math.nan
