"""Test cases of a cross-validation, which no fold has seen: each fold alone, and all together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from medseg.data.images.picture import read_image
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.output_names import LABEL
from medseg.metrics.bootstrap import draw_cases, interval95
from medseg.metrics.criteria import Criteria
from medseg.planning.crossvalidation.fold_folder import TEST
from medseg.planning.crossvalidation.plan import CrossPlan
from medseg.planning.crossvalidation.run import ENSEMBLE
from medseg.reports.pairing import pairs_by_manifest
from medseg.reports.scoring import score_pairs
from medseg.reports.tables import Evaluation

__all__ = ["Compared", "agreement", "compare_on_test", "member_agreement"]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """All folds together against each alone, on the test cases.

    Attributes:
        ensemble: Scores of all together.
        folds: Scores of each fold.
        gain: Mean over the cases: DSC of all together, averaged over the classes, less the mean of
            the single folds'.
        interval: Its 95 % bootstrap interval over cases.
    """

    ensemble: Evaluation
    folds: Mapping[int, Evaluation]
    gain: float
    interval: tuple[float, float]


def compare_on_test(plan: CrossPlan) -> Compared | None:
    """Score the test cases by each fold and by all; None if no test case has a label."""
    if not any(case.label for case in plan.manifest.test):
        return None
    folds = {
        fold.fold: _scored(plan, plan.folder_of(fold.fold), f"fold {fold.fold}")
        for fold in plan.folds
    }
    ensemble = _scored(plan, plan.folder / ENSEMBLE, "all folds")
    cases = [case for case in ensemble.scores if all(case in one.scores for one in folds.values())]
    if not cases:
        return None
    single = np.mean([_dsc(one, cases) for one in folds.values()], axis=0)
    gains = _dsc(ensemble, cases) - single
    low, high = interval95(draw_cases(len(cases)) @ gains / len(cases))
    return Compared(
        ensemble=ensemble,
        folds=folds,
        gain=float(gains.mean()),
        interval=(float(low), float(high)),
    )


def member_agreement(plan: CrossPlan) -> dict[str, dict[str, float]]:
    """Mean pairwise DSC of the folds' labels, by test case and class; with no reference at all.

    Objects by number are compared as one class.
    """
    kind: LabelKind = "instances" if plan.manifest.label_kind == "instances" else "classes"
    found: dict[str, dict[str, float]] = {}
    for case in plan.manifest.test:
        folders = [plan.folder_of(fold.fold) / TEST for fold in plan.folds]
        files = [
            next(iter(sorted(folder.glob(f"{case.case}{LABEL}.*"))), None) for folder in folders
        ]
        labels = [
            as_classes(read_image(file, where="label").array, kind)
            for file in files
            if file is not None
        ]
        if len(labels) == len(folders):
            found[case.case] = agreement(labels, plan.manifest.class_names)
    return found


def agreement(
    labels: Sequence["np.ndarray[tuple[int, ...], np.dtype[np.integer]]"], names: Sequence[str]
) -> dict[str, float]:
    """Mean DSC over all pairs of labels, by class; a class that neither has counts 1.

    Args:
        labels: `(*spatial)` each, at least two.
        names: One for each value, the background's first.
    """
    return {
        name: float(np.mean(list(_pairwise(labels, value))))
        for value, name in enumerate(names)
        if value
    }


def _pairwise(labels: Sequence[np.ndarray], value: int) -> Iterator[float]:
    masks = [label == value for label in labels]
    for one, other in combinations(masks, 2):
        both = int(one.sum()) + int(other.sum())
        yield 2 * int((one & other).sum()) / both if both else 1.0


def _scored(plan: CrossPlan, folder: Path, name: str) -> Evaluation:
    pairs = pairs_by_manifest(plan.manifest, plan.dataset_dir, folder / TEST, split="test", fold=0)
    return score_pairs(
        f"{plan.manifest.name} test, {name}",
        pairs,
        plan.manifest.class_names,
        Criteria(),
        label_kind=plan.manifest.label_kind,
    )


def _dsc(evaluation: Evaluation, cases: Sequence[str]) -> "np.ndarray":
    return np.array([np.mean([one.dsc for one in evaluation.scores[case]]) for case in cases])
