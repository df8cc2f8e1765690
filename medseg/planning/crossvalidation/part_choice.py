"""Choice of postprocessing by evidence: which connected parts stay, class by class.

A rule is chosen if it raises the mean DSC of the out-of-fold predictions by 0.001 or more, the 95 %
bootstrap interval of its paired gain over cases is above 0, and at least three cases are better. Of
several, the one with the greatest mean gain, of equals the mildest. Sizes tried are round numbers
(1, 2, 5 times a power of ten) up to the smallest part of any reference, so that no rule removes
what is as large as a real structure.

What it gains elsewhere is estimated by choosing in the same way for each fold on the others alone.
A rule is used if that estimate is a gain, too.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medseg.inference.kept_parts import PartRule
from medseg.metrics.bootstrap import draw_cases, interval95
from medseg.planning.crossvalidation.part_tables import ClassParts

__all__ = ["Choice", "ClassFinding", "choose_rule", "judge_class", "rule_words"]

Floats = NDArray[np.float64]
_LEAST_BETTER = 3
# Below it, no table shows a difference.
_LEAST_GAIN = 0.001
_STEPS = (1, 2, 5)
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen on some cases.

    Attributes:
        rule: Which parts stay; None for all.
        gain: Mean of the change in DSC on these cases.
        interval: Its 95 % bootstrap interval over cases.
        better: Cases that it improves.
        worse: Cases that it worsens.
    """

    rule: PartRule | None = None
    gain: float = 0.0
    interval: tuple[float, float] = (0.0, 0.0)
    better: int = 0
    worse: int = 0


@dataclass(frozen=True, kw_only=True)
class ClassFinding:
    """What is found for one class.

    Attributes:
        name: The class.
        chosen: On all cases; optimistic, since it was chosen on them.
        by_fold: For each fold, chosen on the others.
        held_out: Gain of those on the folds that they were not chosen on.
    """

    name: str
    chosen: Choice
    by_fold: Mapping[int, PartRule | None]
    held_out: Choice

    @property
    def rule(self) -> PartRule | None:
        """The rule that is used; None if nothing is gained where it was not chosen."""
        return self.chosen.rule if self.held_out.gain > 0 else None


def choose_rule(cases: Sequence[ClassParts]) -> Choice:
    """Choose on some cases which parts of a class stay.

    Args:
        cases: Parts of the class in each case.
    """
    before = np.array([case.dsc(None) for case in cases])
    best = Choice()
    for rule in _candidates(cases):
        choice = _gained(rule, before, np.array([case.dsc(rule) for case in cases]))
        helps = choice.gain >= _LEAST_GAIN and choice.interval[0] > 0
        if helps and choice.better >= _LEAST_BETTER and choice.gain > best.gain + _ROUNDING:
            best = choice
    return best


def judge_class(name: str, folds: Mapping[int, Sequence[ClassParts]]) -> ClassFinding:
    """Choose a rule on all cases, and estimate what it gains by choosing on the other folds.

    Args:
        name: The class.
        folds: Its parts in each case, by fold.
    """
    by_fold: dict[int, PartRule | None] = {}
    before: list[float] = []
    after: list[float] = []
    for fold, held_out in folds.items():
        others = [case for other, cases in folds.items() if other != fold for case in cases]
        by_fold[fold] = choose_rule(others).rule if others else None
        before += [case.dsc(None) for case in held_out]
        after += [case.dsc(by_fold[fold]) for case in held_out]
    return ClassFinding(
        name=name,
        chosen=choose_rule([case for cases in folds.values() for case in cases]),
        by_fold=by_fold,
        held_out=_gained(None, np.array(before), np.array(after)),
    )


def rule_words(rule: PartRule | None, unit: str) -> str:
    """A rule in words, such as `the largest part` or `each part from 0.5 ml`."""
    if rule is None:
        return "every part"
    if rule.keep == "largest":
        return "the largest part"
    return f"each part from {rule.smallest:g} {unit}"


def _candidates(cases: Sequence[ClassParts]) -> Iterator[PartRule]:
    """The mildest first."""
    sizes = [float(case.sizes.min()) for case in cases if len(case.sizes)]
    if not sizes:
        return
    most = min(case.smallest_label for case in cases)
    largest = max(float(case.sizes.max()) for case in cases if len(case.sizes))
    for size in _round_sizes(min(sizes), min(most, largest)):
        yield PartRule(smallest=size)
    yield PartRule(keep="largest")


def _round_sizes(low: float, high: float) -> Iterator[float]:
    """1, 2 and 5 times the powers of ten above `low`, up to `high`."""
    if not 0 < low < high or math.isinf(high):
        return
    for power in range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1):
        for step in _STEPS:
            size = float(f"{step}e{power}")
            if low < size <= high:
                yield size


def _gained(rule: PartRule | None, before: Floats, after: Floats) -> Choice:
    gains = after - before
    draws = draw_cases(len(gains))
    low, high = interval95(draws @ gains / len(gains))
    return Choice(
        rule=rule,
        gain=float(gains.mean()),
        interval=(float(low), float(high)),
        better=int((gains > _ROUNDING).sum()),
        worse=int((gains < -_ROUNDING).sum()),
    )
