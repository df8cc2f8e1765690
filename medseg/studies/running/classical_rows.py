"""Classical methods as rows of a study: what thresholds and clustering reach on its cases."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from medseg.data.datasets.data_digest import data_digest
from medseg.data.manifest import Case, Manifest
from medseg.errors import DataError
from medseg.reports.pairing import split_cases
from medseg.studies.baselines.cases import LABELS, label_cases, score_labels
from medseg.studies.baselines.classes import parse_rule
from medseg.studies.baselines.method import Method, Settings, require_settings
from medseg.studies.results import RunResult, StudyResults, classical_row
from medseg.studies.running.plan import StudyPlan
from medseg.studies.running.run_digest import run_digest
from medseg.studies.running.run_folder import RESULT, read_result, write_result

__all__ = ["with_classical_rows"]


def with_classical_rows(results: StudyResults, plan: StudyPlan, store: Path) -> StudyResults:
    """The results with a row for each classical method that the study names.

    Args:
        results: Of the runs.
        plan: The study.
        store: Folder of all runs.
    """
    rows = tuple(map(classical_row, plan.study.classical))
    return replace(
        results,
        rows=(*results.rows, *rows),
        overrides={**results.overrides, **{row: {} for row in rows}},
        runs=(*results.runs, *_classical_runs(plan, store)),
    )


def _classical_runs(plan: StudyPlan, store: Path) -> Iterator[RunResult]:
    """Label and score the held-out cases by each method of the study; what is there is not redone.

    A method learns nothing, so it gives the same under each seed; its classes are chosen without
    the reference, as by `medseg baseline`.

    Args:
        plan: The study.
        store: Folder of all runs.
    """
    known: dict[Path, str] = {}
    for method in plan.study.classical:
        for seed in plan.study.seeds:
            for fold in plan.study.folds:
                manifest = plan.data_of(seed)
                rest = {
                    "classical": method,
                    "data": data_digest(manifest, plan.dataset_dir, known),
                    "fold": fold,
                    "split": plan.study.split,
                }
                folder = store / run_digest({}, {}, rest)
                if not (folder / RESULT).exists():
                    _label_and_score(method, plan, manifest, fold, folder)
                found = read_result(folder, row=classical_row(method), seed=seed, fold=fold)
                if found is not None:
                    yield found


def _label_and_score(
    method: Method, plan: StudyPlan, manifest: Manifest, fold: int, folder: Path
) -> None:
    settings = Settings(method=method, rule=parse_rule("auto", manifest.modality))
    require_settings(settings, len(manifest.class_names))
    cases = [one for one in split_cases(manifest, plan.study.split, fold) if one.label]
    try:
        _scored(settings, plan, manifest, cases, folder)
    except DataError as error:
        write_result(folder, reason=str(error))
    else:
        write_result(folder)


def _scored(
    settings: Settings, plan: StudyPlan, manifest: Manifest, cases: list[Case], folder: Path
) -> None:
    failed = label_cases(manifest, plan.dataset_dir, cases, settings, folder / LABELS)
    name = f"{manifest.name}, {settings.method}"
    evaluation = score_labels(manifest, plan.dataset_dir, cases, folder, failed, name=name)
    if evaluation.failed:
        raise DataError(next(iter(evaluation.failed.values())))
