"""Scores of a network on held-out cases, and paired differences to another's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.bootstrap import RESAMPLES, draw_cases, interval95
from medseg.metrics.voxel_counts import confusion, one_against_rest, overlap_scores
from medseg.studies.pruning.subject import HeldOutCase, Subject
from medseg.studies.results import CaseScore

__all__ = ["Paired", "case_means", "compare", "score_cases"]

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """DSC of a network beside that of the network that it was made of.

    Attributes:
        dsc: Mean over cases, or over groups of the means over their cases.
        dsc_ci95: Its 95 % bootstrap interval, cases drawn within their groups.
        difference: Mean paired difference, in the same way.
        difference_ci95: Its interval, from the same draws.
    """

    dsc: float
    dsc_ci95: Interval
    difference: float
    difference_ci95: Interval


def score_cases(subject: Subject) -> list[CaseScore]:
    """Score the subject's network: one entry for each case and class but the background."""
    found: list[CaseScore] = []
    for case in subject.cases:
        found += _score(subject, case)
    return found


def case_means(scores: Sequence[CaseScore], metric: str = "dsc") -> dict[str, float]:
    """Mean over the classes, by case."""
    names = dict.fromkeys(one.case for one in scores)
    return {name: mean(one.values[metric] for one in scores if one.case == name) for name in names}


def compare(
    base: Mapping[str, float], other: Mapping[str, float], groups: Mapping[str, str | None]
) -> Paired:
    """Compare the scores of two networks on the same cases.

    Args:
        base: Score by case.
        other: Likewise, of the same cases.
        groups: Group of each case; all None is one group.

    Raises:
        ValueError: If the cases differ.
    """
    if base.keys() != other.keys() or not base:
        raise ValueError("compare needs two networks on the same cases, and at least one")
    names = list(base)
    weights = _draws([groups.get(name) for name in names])
    first, second = (np.array([one[name] for name in names]) for one in (base, other))
    low, high = interval95(weights @ np.stack([second, second - first], axis=1)).tolist()
    even = _even([groups.get(name) for name in names])
    return Paired(
        dsc=float(even @ second),
        dsc_ci95=(low[0], high[0]),
        difference=float(even @ (second - first)),
        difference_ci95=(low[1], high[1]),
    )


def _even(groups: Sequence[str | None]) -> NDArray[np.float64]:
    """Weight of each case in the mean over groups."""
    names = list(dict.fromkeys(groups))
    return np.array([1 / len(names) / groups.count(group) for group in groups])


def _draws(groups: Sequence[str | None]) -> NDArray[np.float64]:
    """Weights of each case in each resample, `(resamples, cases)`; cases stay in their groups."""
    weights = np.zeros((RESAMPLES, len(groups)))
    for seed, group in enumerate(dict.fromkeys(groups)):
        places = [place for place, own in enumerate(groups) if own == group]
        weights[:, places] = draw_cases(len(places), seed=seed) / len(places)
    return weights / len(set(groups))


def _score(subject: Subject, case: HeldOutCase) -> list[CaseScore]:
    pred = subject.predictor.label(case.image).array
    names = subject.predictor.class_names
    # A number of an object is its class here.
    if subject.predictor.label_kind == "instances":
        pred = (pred > 0).astype(np.int64)
    counts = one_against_rest(confusion(pred, case.label, len(names)))
    scores = overlap_scores(counts)
    return [
        CaseScore(
            case=case.name,
            class_name=name,
            group=case.group,
            values={metric: float(values[value]) for metric, values in scores.items()},
        )
        for value, name in enumerate(names)
        if value > 0
    ]
