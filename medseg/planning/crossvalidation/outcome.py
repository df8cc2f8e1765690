"""Outcome of a cross-validation: scores out of fold, postprocessing chosen, test cases compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from medseg.metrics.criteria import Criteria
from medseg.planning.crossvalidation.fold_folder import PREDICTIONS
from medseg.planning.crossvalidation.part_choice import ClassFinding, judge_class
from medseg.planning.crossvalidation.part_tables import ClassParts, case_parts
from medseg.planning.crossvalidation.plan import CrossPlan
from medseg.planning.crossvalidation.postprocessed import postprocessed_pairs
from medseg.planning.crossvalidation.unseen_cases import (
    Compared,
    compare_on_test,
    member_agreement,
)
from medseg.reports.pairing import EvaluationCase, pairs_by_manifest
from medseg.reports.scoring import score_pairs
from medseg.reports.tables import Evaluation

__all__ = ["Outcome", "read_outcome"]

_POSTPROCESSED = "postprocessed"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a cross-validation found.

    Attributes:
        scores: Every case, by the network that had not seen it; its fold is its group.
        findings: Of each class, which parts stay; empty if labels number objects.
        postprocessed: The scores with parts removed, by rules chosen on the other folds; None if
            nothing is removed.
        compared: On the test cases; None if none has a label.
        agreement: Mean pairwise DSC of the folds' labels, by test case and class.
    """

    scores: Evaluation
    findings: tuple[ClassFinding, ...]
    postprocessed: Evaluation | None
    compared: Compared | None
    agreement: Mapping[str, Mapping[str, float]]


def read_outcome(plan: CrossPlan) -> Outcome:
    """Score what the folds have predicted, and choose.

    Args:
        plan: A cross-validation all folds of which are done.

    Raises:
        DataError: If no case could be scored.
    """
    folds = {fold.fold: _pairs(plan, fold.fold) for fold in plan.folds}
    pairs = [pair for cases in folds.values() for pair in cases]
    scores = _scored(plan, pairs, "cross-validated")
    findings = _findings(plan, folds, scores)
    changed = postprocessed_pairs(
        folds, findings, plan.manifest.class_names, plan.folder / _POSTPROCESSED
    )
    return Outcome(
        scores=scores,
        findings=findings,
        postprocessed=None if changed is None else _scored(plan, changed, "postprocessed"),
        compared=compare_on_test(plan),
        agreement=member_agreement(plan),
    )


def _pairs(plan: CrossPlan, fold: int) -> list[EvaluationCase]:
    found = pairs_by_manifest(
        plan.manifest,
        plan.dataset_dir,
        plan.folder_of(fold) / PREDICTIONS,
        split="validation",
        fold=fold,
    )
    return [replace(pair, group=f"fold {fold}") for pair in found]


def _scored(plan: CrossPlan, pairs: Sequence[EvaluationCase], what: str) -> Evaluation:
    return score_pairs(
        f"{plan.manifest.name} {what}",
        pairs,
        plan.manifest.class_names,
        Criteria(),
        label_kind=plan.manifest.label_kind,
    )


def _findings(
    plan: CrossPlan, folds: Mapping[int, Sequence[EvaluationCase]], scores: Evaluation
) -> tuple[ClassFinding, ...]:
    if plan.manifest.label_kind == "instances":
        return ()
    names = plan.manifest.class_names
    parts: dict[int, list[dict[str, ClassParts]]] = {
        fold: [
            case_parts(pair, names, plan.manifest.label_kind)
            for pair in cases
            # What could not be scored is told with the scores.
            if pair.case in scores.scores
        ]
        for fold, cases in folds.items()
    }
    return tuple(
        judge_class(name, {fold: [one[name] for one in cases] for fold, cases in parts.items()})
        for name in names[1:]
    )
