"""Averages of a row's scores: by class and group, macro, micro and pooled.

A mean over cases weighs each case the same, a pooled one each voxel. Published tables use either,
often without a word; here both stand beside one another, named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from medseg.metrics.voxel_counts import overlap_scores
from medseg.studies.results import CaseScore, RunResult
from medseg.studies.statistics.cells import WHOLE_CASE
from medseg.studies.statistics_types import Average

__all__ = ["GROUP_MEAN", "averages", "score_by_class"]

GROUP_MEAN = "mean of the groups"
COUNTS = ("tp", "fp", "fn", "tn")
Scores = Sequence[CaseScore]
Values = dict[str, float]


def averages(runs: Sequence[RunResult]) -> tuple[Average, ...]:
    """Averages over all cases, then over those of each group, then over the groups.

    Folds of a seed are taken together, so that each case counts once; the values are then the
    mean over seeds.

    Args:
        runs: Of one row; those that failed add nothing.
    """
    runs = [
        replace(run, cases=tuple(sorted(run.cases, key=lambda one: one.case)))
        for run in sorted(runs, key=lambda run: (run.seed, run.fold))
    ]
    groups = list(dict.fromkeys(one.group for run in runs for one in run.cases if one.group))
    whole = _of_cases(runs, "", lambda one: True)
    parts = [_of_cases(runs, group, lambda one, g=group: one.group == g) for group in groups]
    return (*whole, *(one for part in parts for one in part), *_group_means(parts))


def score_by_class(averages: Sequence[Average], score: str) -> dict[str, float]:
    """One metric over all cases, by class and kind of average."""
    return {
        one.name: one.values[score] for one in averages if not one.group and score in one.values
    }


def _of_cases(
    runs: Sequence[RunResult], group: str, chosen: Callable[[CaseScore], bool]
) -> list[Average]:
    by_seed: dict[int, list[CaseScore]] = {}
    for run in runs:
        by_seed.setdefault(run.seed, []).extend(filter(chosen, run.cases))
    seeds = [dict(_of_seed(scores)) for scores in by_seed.values() if scores]
    cases = len({(run.fold, one.case) for run in runs for one in run.cases if chosen(one)})
    names = dict.fromkeys(name for seed in seeds for name in seed)
    return [
        Average(
            name=name,
            group=group,
            cases=cases,
            values=_mean_values([seed[name] for seed in seeds if name in seed]),
        )
        for name in names
    ]


def _of_seed(scores: Scores) -> Iterator[tuple[str, Values]]:
    """By class, then by kind of average."""
    by_class: dict[str, list[CaseScore]] = {}
    for one in scores:
        by_class.setdefault(one.class_name, []).append(one)
    means = {name: _mean_values([one.values for one in found]) for name, found in by_class.items()}
    yield from ((name, _without_counts(values)) for name, values in means.items())
    foreground = [name for name in by_class if name != WHOLE_CASE]
    if not foreground:
        return
    yield "macro", _without_counts(_mean_values([means[name] for name in foreground]))
    counts = [_counts(by_class[name]) for name in foreground]
    if all(found is not None for found in counts):
        sums = np.array(counts)
        yield "pooled", _mean_values([_overlap(found) for found in sums])
        yield "micro", _overlap(sums.sum(axis=0))


def _group_means(parts: Sequence[Sequence[Average]]) -> Iterator[Average]:
    for name in dict.fromkeys(one.name for part in parts for one in part):
        found = [one for part in parts for one in part if one.name == name]
        yield Average(
            name=name,
            group=GROUP_MEAN,
            cases=sum(one.cases for one in found),
            values=_mean_values([one.values for one in found]),
        )


def _counts(scores: Scores) -> np.ndarray | None:
    """Counts added over cases, `(4,)`; None if one of them lacks any."""
    if not all(name in one.values for one in scores for name in COUNTS):
        return None
    return np.array([[one.values[name] for name in COUNTS] for one in scores]).sum(axis=0)


def _overlap(counts: np.ndarray) -> Values:
    return {name: float(value) for name, value in overlap_scores(counts).items()}


def _mean_values(found: Sequence[Mapping[str, float]]) -> Values:
    """Mean of each metric over those that have it as a number."""
    names = dict.fromkeys(name for values in found for name in values)
    columns = {name: [v[name] for v in found if name in v] for name in names}
    finite = {name: [v for v in column if np.isfinite(v)] for name, column in columns.items()}
    return {name: float(np.mean(column)) for name, column in finite.items() if column}


def _without_counts(values: Values) -> Values:
    return {name: value for name, value in values.items() if name not in COUNTS}
