"""Averages of cases that the pages show: of a run, and of each group of cases."""

import math
from statistics import fmean

from medseg.studies.results import RunResult, StudyResults
from medseg.studies.statistics.averages import GROUP_MEAN
from medseg.studies.statistics.cells import WHOLE_CASE, case_scores
from medseg.studies.statistics_types import Comparison

__all__ = ["group_means", "metric_names", "run_mean", "scored_runs"]


def scored_runs(results: StudyResults, row: str) -> list[RunResult]:
    """Runs of a row that did not fail, in the order of their folds and seeds."""
    runs = (run for run in results.runs if run.row == row and not run.reason and run.cases)
    return sorted(runs, key=lambda run: (run.fold, run.seed))


def run_mean(run: RunResult, metric: str) -> float:
    """Mean of a run's cases, each the mean of its classes; NaN if the metric was not scored."""
    known = [value for value in case_scores(run.cases, metric).values() if not math.isnan(value)]
    return fmean(known) if known else math.nan


def group_means(comparison: Comparison, metric: str) -> dict[str, float]:
    """A row's mean over classes by group of cases, then that of the groups, where it was scored."""
    found = {
        name: {
            one.group: one.values[metric]
            for one in comparison.averages
            if one.group and one.name == name and metric in one.values
        }
        for name in ("macro", WHOLE_CASE)
    }
    means = found["macro"] or found[WHOLE_CASE]
    groups = sorted(group for group in means if group != GROUP_MEAN)
    return {group: means[group] for group in (*groups, GROUP_MEAN) if group in means}


def metric_names(results: StudyResults) -> list[str]:
    """All metrics of the cases, in the order in which they first occur."""
    found: dict[str, None] = {}
    for run in results.runs:
        for one in run.cases:
            found.update(dict.fromkeys(one.values))
    return list(found)
