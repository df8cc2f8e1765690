"""Classical baselines as rows of a study: their scores by case, as those of a trained network."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from medseg.reports.tables import Evaluation
from medseg.studies.baselines.method import Method
from medseg.studies.results import CaseScore, RunResult

__all__ = ["baseline_run", "case_scores"]

_NOT_SCORES = ("name", "presence")


def case_scores(evaluation: Evaluation) -> tuple[CaseScore, ...]:
    """The scores of each class of each case, with its counts tp, fp, fn and tn."""
    return tuple(
        CaseScore(
            case=case,
            class_name=one.name,
            group=evaluation.groups.get(case),
            values=_numbers(asdict(one)),
        )
        for case, classes in evaluation.scores.items()
        for one in classes
    )


def baseline_run(method: Method, evaluation: Evaluation, folder: Path, *, fold: int) -> RunResult:
    """The row of a study that a classical method is.

    Args:
        method: It names the row.
        evaluation: Its scores on the study's held-out cases.
        folder: Folder of its labels and tables.
        fold: The fold that the study holds out.
    """
    return RunResult(
        row=method,
        seed=0,
        fold=fold,
        digest="",
        folder=folder,
        reason="; ".join(evaluation.failed.values()),
        cases=case_scores(evaluation),
    )


def _numbers(content: Mapping[str, object]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in content.items()
        if name not in _NOT_SCORES and isinstance(value, int | float)
    }
