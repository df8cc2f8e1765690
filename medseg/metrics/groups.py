"""Scores by group of cases, such as a tissue class, and their macro average.

A mean over all cases is dominated by the most common group. Published tables often score each
group separately and average over groups, however many cases each has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medseg.metrics.bootstrap import draw_cases, interval95
from medseg.metrics.class_scores import ClassScores
from medseg.metrics.summary import METRICS, Metric, Summary, summarise

__all__ = ["GroupSummary", "summarise_groups"]


@dataclass(frozen=True, kw_only=True)
class GroupSummary:
    """Summary of each group, and their macro average.

    Attributes:
        groups: Summary by name of the group, in the order of the cases.
        macro: Unweighted mean of the groups' means over cases and classes.
        macro_ci95: Its bootstrap interval; cases are resampled within their group.
    """

    groups: dict[str, Summary]
    macro: dict[Metric, float]
    macro_ci95: dict[Metric, tuple[float, float]]


def summarise_groups(
    cases: Mapping[str, Sequence[ClassScores]], groups: Mapping[str, str], *, seed: int = 0
) -> GroupSummary:
    """Summarise each group.

    Args:
        cases: The scores of each case, see `summarise`.
        groups: The group of each case; cases without one are left out.
        seed: Of the bootstrap.

    Raises:
        ValueError: If no case has a group, or the cases' classes differ.
    """
    parts: dict[str, dict[str, Sequence[ClassScores]]] = {}
    for case, classes in cases.items():
        if case in groups:
            parts.setdefault(groups[case], {})[case] = classes
    if not parts:
        raise ValueError("summarise_groups needs a case with a group, got none")
    summaries = {name: summarise(part, seed=seed) for name, part in parts.items()}
    macro = np.mean([[one.macro[m] for m in METRICS] for one in summaries.values()], axis=0)
    # Resample within each group (stratified bootstrap): the sizes of the groups are fixed.
    drawn = np.mean(
        [_drawn_means(part, seed + place) for place, part in enumerate(parts.values())], axis=0
    )
    low, high = interval95(drawn).tolist()
    return GroupSummary(
        groups=summaries,
        macro=dict(zip(METRICS, macro.tolist(), strict=True)),
        macro_ci95=dict(zip(METRICS, zip(low, high, strict=True), strict=True)),
    )


def _drawn_means(cases: Mapping[str, Sequence[ClassScores]], seed: int) -> np.ndarray:
    """Means over the cases drawn and their classes, `(resamples, metrics)`."""
    values = [[[getattr(one, m) for m in METRICS] for one in of_case] for of_case in cases.values()]
    return draw_cases(len(cases), seed=seed) @ np.mean(values, axis=1) / len(cases)
