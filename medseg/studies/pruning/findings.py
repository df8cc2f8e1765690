"""Findings of a sensitivity study: each ablation beside the unpruned network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medseg.studies.pruning.ablation import Ablation
from medseg.studies.pruning.scores import Paired, case_means, compare
from medseg.studies.pruning.sensitivity import ScoredAblation
from medseg.studies.results import CaseScore

__all__ = ["Finding", "Verdict", "findings", "verdict"]

Verdict = Literal["worse", "better", "no evidence"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One ablation beside the unpruned network.

    Attributes:
        ablation: None for the unpruned network itself.
        zeros: Share of zeros in the pruned convolutions.
        overall: DSC, mean over classes, and over groups if there are any.
        classes: Likewise of each class alone, by name.
        groups: Of the cases of each group alone, by name.
    """

    ablation: Ablation | None
    zeros: float
    overall: Paired
    classes: Mapping[str, Paired]
    groups: Mapping[str, Paired]


def findings(scored: Sequence[ScoredAblation]) -> list[Finding]:
    """Compare every ablation with the unpruned network, which is the first."""
    base = scored[0].cases
    return [
        Finding(
            ablation=one.ablation,
            zeros=one.zeros,
            overall=_compared(base, one.cases),
            classes={
                name: _compared(_of_class(base, name), _of_class(one.cases, name))
                for name in dict.fromkeys(case.class_name for case in base)
            },
            groups={
                name: _compared(_of_group(base, name), _of_group(one.cases, name))
                for name in dict.fromkeys(case.group for case in base)
                if name is not None
            },
        )
        for one in scored
    ]


def verdict(paired: Paired) -> Verdict:
    """What the interval of the difference allows to say."""
    low, high = paired.difference_ci95
    return "worse" if high < 0 else "better" if low > 0 else "no evidence"


def _compared(base: Sequence[CaseScore], other: Sequence[CaseScore]) -> Paired:
    groups = {case.case: case.group for case in base}
    return compare(case_means(base), case_means(other), groups)


def _of_class(cases: Sequence[CaseScore], name: str) -> list[CaseScore]:
    return [case for case in cases if case.class_name == name]


def _of_group(cases: Sequence[CaseScore], name: str) -> list[CaseScore]:
    return [case for case in cases if case.group == name]
