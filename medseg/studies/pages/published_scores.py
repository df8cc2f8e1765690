"""Scores of each row as a published ablation study averages them: by test loss, group by group.

Its protocol: a random split of 80 % and 20 % for each of at least three runs, configurations
ranked by their mean test loss, scores of each tissue class by itself, and the mean of the classes
as the total.

Reference:
    Fraello, Semantic segmentation of the EBHI-Seg dataset: ablation studies on the U-Net
    architecture, 2023.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from medseg._csv import csv_text
from medseg.studies.pages.averages import group_means, scored_runs
from medseg.studies.pages.contents import Contents
from medseg.studies.statistics.averages import GROUP_MEAN
from medseg.studies.statistics.cells import WHOLE_CASE
from medseg.studies.statistics_types import Comparison

__all__ = ["METRICS", "LossRow", "published_csv", "rows_by_loss"]

# Names of the publication, in its order.
METRICS = {
    "dsc": "dice",
    "iou": "iou",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
}
# The order of the publication; other groups follow by name.
_TISSUES = (
    "normal",
    "polyp",
    "low_grade_in",
    "high_grade_in",
    "adenocarcinoma",
    "serrated_adenoma",
)
_KINDS = ("macro", "micro", "pooled", WHOLE_CASE)


@dataclass(frozen=True, kw_only=True)
class LossRow:
    """One row of a study.

    Attributes:
        row: Its name.
        runs: Runs that are averaged.
        test_loss: Mean over runs of the loss over held-out cases.
        train_loss: Mean over runs of the loss over training cases.
        scores: By metric, the mean of each group of cases; without groups, that of each class.
    """

    row: str
    runs: int
    test_loss: float
    train_loss: float
    scores: Mapping[str, Mapping[str, float]]

    @property
    def difference(self) -> float:
        """Distance between the losses."""
        return abs(self.test_loss - self.train_loss)

    def total(self, metric: str) -> float:
        """Mean of the groups, however many cases each has."""
        return fmean(self.scores[metric].values())


def rows_by_loss(contents: Contents) -> list[LossRow]:
    """Rows whose runs have losses, the lowest mean test loss first, those without a number last."""
    found: list[LossRow] = []
    for one in contents.summary.rows:
        runs = scored_runs(contents.results, one.row)
        losses = [run.losses for run in runs if run.losses]
        if losses:
            scores = {metric: _by_part(one, metric) for metric in METRICS}
            found.append(
                LossRow(
                    row=one.row,
                    runs=len(losses),
                    test_loss=fmean(pair.held_out for pair in losses),
                    train_loss=fmean(pair.train for pair in losses),
                    scores={metric: means for metric, means in scores.items() if means},
                )
            )
    return sorted(found, key=lambda row: (math.isnan(row.test_loss), row.test_loss))


def published_csv(rows: Sequence[LossRow]) -> str:
    """A line for each row, in its place: losses, then each metric's total and groups."""
    columns = ["rank", "row", "runs", "test_loss", "train_loss", "abs_diff"]
    lines: list[dict[str, object]] = []
    for rank, row in enumerate(rows, start=1):
        line: dict[str, object] = dict(zip(columns, (rank, row.row, row.runs), strict=False))
        losses = {"test_loss": row.test_loss, "train_loss": row.train_loss}
        line |= {name: round(x, 6) for name, x in {**losses, "abs_diff": row.difference}.items()}
        for metric, name in METRICS.items():
            if metric in row.scores:
                line[f"{name} total"] = round(row.total(metric), 6)
                line |= {f"{name} {part}": round(x, 6) for part, x in row.scores[metric].items()}
        lines.append(line)
    names = list(dict.fromkeys([*columns, *(name for line in lines for name in line)]))
    return csv_text(names, ([line.get(name) for name in names] for line in lines))


def _by_part(one: Comparison, metric: str) -> dict[str, float]:
    means = {group: mean for group, mean in group_means(one, metric).items() if group != GROUP_MEAN}
    if means:
        return {group: means[group] for group in sorted(means, key=_place)}
    return {
        average.name: average.values[metric]
        for average in one.averages
        if not average.group and average.name not in _KINDS and metric in average.values
    }


def _place(group: str) -> tuple[int, str]:
    name = group.lower().replace(" ", "_").replace("-", "_")
    return (_TISSUES.index(name) if name in _TISSUES else len(_TISSUES)), group
