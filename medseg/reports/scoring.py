"""Evaluation: score the predictions of a data set against its references.

Used by both the command line and the bundles' evaluate configs, so that a model card's table and
a user's own are made the same way.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from medseg._files import write_atomically
from medseg._text import printable
from medseg.data.datasets.label_values import count_values
from medseg.data.images.picture import Picture
from medseg.data.label_kind import LabelKind
from medseg.data.manifest import Manifest
from medseg.data.problems import Problem
from medseg.errors import DataError, meets_all, user_error
from medseg.metrics.case_scores import label_scores
from medseg.metrics.class_scores import ClassScores, absent_scores
from medseg.metrics.criteria import Criteria
from medseg.metrics.instances import InstanceScores, instance_scores
from medseg.metrics.summary import Metric
from medseg.reports.columns import DEFAULT_METRICS, Unit
from medseg.reports.instances import instances_csv
from medseg.reports.label_pair import read_pair
from medseg.reports.markdown import scores_markdown
from medseg.reports.pairing import EvaluationCase, EvaluationSplit, pairs_by_manifest
from medseg.reports.summary_table import summary_csv
from medseg.reports.tables import Evaluation, print_scores, scores_csv, scores_json
from medseg.reports.worst_cases import Origin, draw_worst

__all__ = ["read_pairs", "score_pairs", "score_predictions", "write_scores"]


_UNNAMED = "label "
# A file with more values than this is taken for an image.
_MOST_LABELS = 1000


def score_predictions(  # noqa: PLR0913 - one argument a key of a config
    predictions: str | Path,
    manifest: Manifest,
    dataset_dir: str | Path,
    *,
    split: EvaluationSplit,
    fold: int,
    output_dir: str | Path,
    criteria: Criteria | None = None,
) -> None:
    """Score one split of a data set; write and print the tables, and draw the worst cases.

    Args:
        predictions: Folder of the predicted labels.
        manifest: The data set.
        dataset_dir: Folder of its references.
        split: Which of its cases.
        fold: The fold held out for validation.
        output_dir: Folder for `SCORE_FILES` and `WORST_FILES`.
        criteria: Tolerance and lesion overlap; by default `Criteria()`.

    Raises:
        DataError: If a case could not be scored; raised after the others have been written.
    """
    pairs = pairs_by_manifest(
        manifest, Path(dataset_dir), Path(predictions), split=split, fold=fold
    )
    name = f"{manifest.name} {split}"
    evaluation = score_pairs(
        name,
        pairs,
        manifest.class_names,
        criteria or Criteria(),
        label_kind=manifest.label_kind,
    )
    write_scores(evaluation, Path(output_dir))
    origin = Origin(
        pairs=pairs,
        class_names=manifest.class_names,
        label_kind=manifest.label_kind,
        images={case.case: Path(dataset_dir) / case.images[0] for case in manifest.cases},
        modality=manifest.modality,
    )
    draw_worst(evaluation, origin, Path(output_dir))
    print_scores(evaluation, Console(highlight=False, markup=False, emoji=False))
    if evaluation.failed:
        raise DataError(next(iter(evaluation.failed.values())))


def write_scores(
    evaluation: Evaluation, folder: Path, metrics: Sequence[Metric] = DEFAULT_METRICS
) -> None:
    """Write `SCORE_FILES`, replacing existing ones; `instances.csv` for instance labels only.

    Args:
        evaluation: Scores and failures.
        folder: Output folder.
        metrics: The columns of `scores.md`; the other files have all.
    """
    texts = {
        "scores.csv": scores_csv(evaluation),
        "summary.csv": summary_csv(evaluation.summary, evaluation.unit),
        "scores.json": scores_json(evaluation),
        "scores.md": scores_markdown(evaluation, metrics),
    }
    if evaluation.instances:
        texts["instances.csv"] = instances_csv(evaluation.instances)
    for name, text in texts.items():
        write_atomically(folder / name, partial(Path.write_text, data=text, encoding="utf-8"))


def score_pairs(  # noqa: PLR0913 - one argument an option
    name: str,
    pairs: Sequence[EvaluationCase],
    class_names: list[str] | None,
    criteria: Criteria,
    *,
    label_kind: LabelKind = "classes",
    predicted_kind: LabelKind | None = None,
    failing: Callable[[Exception], None] | None = None,
) -> Evaluation:
    """Score every pair; cases that cannot be scored are reported, and the rest continue.

    Args:
        name: What is evaluated, for the title.
        pairs: See `medseg.reports.pairing`.
        class_names: One per label value, background first; None names classes by value.
        criteria: Tolerance and lesion overlap.
        label_kind: Kind of the references.
        predicted_kind: Kind of the predictions; None takes `instances` if the references are,
            else classes. If both are `instances`, objects and foreground are scored, else classes.
        failing: Told what a case raised, with its traceback.

    Raises:
        DataError: If no case could be scored.
    """
    kinds = _kinds(label_kind, predicted_kind)
    scored: dict[str, _Scored] = {}
    failed: dict[str, str] = {}
    console = Console(stderr=True)
    for pair in track(
        pairs, "scoring", console=console, transient=True, disable=not console.is_terminal
    ):
        try:
            scored[pair.case] = _score(pair, class_names, criteria, kinds)
        except Exception as error:
            # Whatever it is, it never costs the other cases; unless it would meet them as well.
            if meets_all(error):
                raise
            failed[pair.case] = printable(f"{pair.case}: {_reason(error)}")
            if failing is not None:
                failing(error)
    if not scored:
        reason = next(iter(failed.values()))
        raise DataError(f"none of {len(failed)} cases could be scored; {reason}")
    scores = {case: one.scores for case, one in scored.items()}
    if class_names is None:
        scores = _with_absent_classes(scores, {case: one.voxels for case, one in scored.items()})
    return Evaluation(
        name=name,
        scores=scores,
        failed=failed,
        criteria=criteria,
        groups={pair.case: pair.group for pair in pairs if pair.group is not None},
        unit="px" if any(one.unit == "px" for one in scored.values()) else "mm",
        instances={c: one.objects for c, one in scored.items() if one.objects is not None},
        warnings={case: one.warnings for case, one in scored.items() if one.warnings},
    )


def read_pairs(
    pairs: Sequence[EvaluationCase],
    class_names: Sequence[str] | None,
    label_kind: LabelKind = "classes",
    *,
    predicted_kind: LabelKind | None = None,
) -> tuple[dict[str, str], dict[str, tuple[Problem, ...]]]:
    """Read every pair without scoring it; arguments as for `score_pairs`.

    Returns:
        Why cases cannot be scored, and what is remarkable about the others, by case.
    """
    kinds = _kinds(label_kind, predicted_kind)
    count = None if class_names is None else len(class_names)
    failed: dict[str, str] = {}
    found: dict[str, tuple[Problem, ...]] = {}
    for pair in pairs:
        try:
            found[pair.case] = read_pair(pair, count, kinds.reference, kinds.prediction).warnings
        except Exception as error:
            if meets_all(error):
                raise
            failed[pair.case] = printable(f"{pair.case}: {_reason(error)}")
    return failed, found


def _kinds(label_kind: LabelKind, predicted_kind: LabelKind | None) -> "_Kinds":
    numbered: LabelKind = "instances" if label_kind == "instances" else "classes"
    return _Kinds(label_kind, predicted_kind or numbered)


def _reason(error: Exception) -> str:
    users = user_error(error)
    if users is not None:
        return str(users)
    # A bug, whose text may quote anything.
    return f"unexpected {type(error).__name__}; use medseg --debug evaluate to see the traceback"


@dataclasses.dataclass(frozen=True)
class _Scored:
    """Scores of one case: of its classes, of its objects for instance labels, and its size."""

    scores: list[ClassScores]
    objects: InstanceScores | None
    voxels: int
    unit: Unit
    warnings: tuple[Problem, ...]


@dataclasses.dataclass(frozen=True)
class _Kinds:
    """Kinds of the two sides' label files."""

    reference: LabelKind
    prediction: LabelKind


def _score(
    pair: EvaluationCase, class_names: list[str] | None, criteria: Criteria, kinds: _Kinds
) -> _Scored:
    count = None if class_names is None else len(class_names)
    read = read_pair(pair, count, kinds.reference, kinds.prediction)
    pred, label = read.classes
    if class_names is None:
        class_names, pred, label = _named_by_value(pred, label)
    picture = isinstance(read.reference, Picture)
    if picture:
        pred, label = pred[:, :, 0], label[:, :, 0]
    spacing = (1.0, 1.0) if picture else read.reference.spacing_mm
    numbered = kinds.reference == kinds.prediction == "instances"
    return _Scored(
        scores=label_scores(pred, label, class_names, spacing or (1.0,) * 3, criteria),
        objects=(
            instance_scores(read.prediction.array, read.reference.array) if numbered else None
        ),
        voxels=read.reference.array.size,
        unit="px" if picture else "mm",
        warnings=read.warnings,
    )


def _named_by_value(
    pred: NDArray[Any], label: NDArray[Any]
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Names for the values that occur, and both labels as indices into that list."""
    present = count_values(label).keys() | count_values(pred).keys()
    values = sorted({0, *(int(value) for value in present)})
    if values[0] < 0 or len(values) > _MOST_LABELS:
        raise DataError(f"{len(values)} values from {values[0]}; give label files, not images")
    pred, label = (np.searchsorted(values, one).astype(np.uint16) for one in (pred, label))
    return [f"{_UNNAMED}{value}" for value in values], pred, label


def _with_absent_classes(
    scores: Mapping[str, Sequence[ClassScores]], voxels: Mapping[str, int]
) -> dict[str, list[ClassScores]]:
    """Give every case the classes of all cases; those it lacks are absent."""
    names = {one.name for classes in scores.values() for one in classes}
    if not names:
        raise DataError("no label has a value but 0; there is nothing to score")
    ordered = sorted(names, key=lambda name: int(name.removeprefix(_UNNAMED)))
    return {
        case: [
            {one.name: one for one in classes}.get(name) or absent_scores(name, voxels[case])
            for name in ordered
        ]
        for case, classes in scores.items()
    }
