"""Evaluation: score the predictions of a data set against its references.

Used by both the command line and the bundles' evaluate configs, so that a model card's table and
a user's own are made the same way.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from medseg._files import write_atomically
from medseg._text import printable
from medseg.data.datasets.intake import GRID_TOLERANCE_MM, count_values, grid_problems
from medseg.data.images.picture import Picture, read_image
from medseg.data.images.volume import Volume
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.manifest import Manifest
from medseg.errors import DataError, meets_all, user_error
from medseg.metrics.case_scores import label_scores
from medseg.metrics.class_scores import ClassScores, absent_scores
from medseg.metrics.criteria import Criteria
from medseg.metrics.instances import InstanceScores, instance_scores
from medseg.metrics.summary import Metric
from medseg.reports.columns import DEFAULT_METRICS, Unit
from medseg.reports.instances import instances_csv
from medseg.reports.markdown import scores_markdown
from medseg.reports.pairing import EvaluationCase, EvaluationSplit, pairs_by_manifest
from medseg.reports.summary_table import summary_csv
from medseg.reports.tables import Evaluation, print_scores, scores_csv, scores_json

__all__ = ["score_pairs", "score_predictions", "write_scores"]


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
    """Score one split of a data set; write and print the tables.

    Args:
        predictions: Folder of the predicted labels.
        manifest: The data set.
        dataset_dir: Folder of its references.
        split: Which of its cases.
        fold: The fold held out for validation.
        output_dir: Folder for `SCORE_FILES`.
        criteria: Tolerance and lesion overlap; by default `Criteria()`.

    Raises:
        DataError: If a case could not be scored; raised after the others have been written.
    """
    pairs = pairs_by_manifest(
        manifest, Path(dataset_dir), Path(predictions), split=split, fold=fold
    )
    name = f"{manifest.name} {split}"
    evaluation = score_pairs(
        name, pairs, manifest.class_names, criteria or Criteria(), manifest.label_kind
    )
    write_scores(evaluation, Path(output_dir))
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


def score_pairs(
    name: str,
    pairs: Sequence[EvaluationCase],
    class_names: list[str] | None,
    criteria: Criteria,
    label_kind: LabelKind = "classes",
    *,
    failing: Callable[[Exception], None] | None = None,
) -> Evaluation:
    """Score every pair; cases that cannot be scored are reported, and the rest continue.

    Args:
        name: What is evaluated, for the title.
        pairs: See `medseg.reports.pairing`.
        class_names: One per label value, background first; None names classes by value.
        criteria: Tolerance and lesion overlap.
        label_kind: Kind of the references. If it is `instances`, so are the predictions, and both
            objects and foreground are scored; else predictions are classes.
        failing: Told what a case raised, with its traceback.

    Raises:
        DataError: If no case could be scored.
    """
    scored: dict[str, _Scored] = {}
    failed: dict[str, str] = {}
    console = Console(stderr=True)
    for pair in track(
        pairs, "scoring", console=console, transient=True, disable=not console.is_terminal
    ):
        try:
            scored[pair.case] = _score(pair, class_names, criteria, label_kind)
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
    )


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


def _score(
    pair: EvaluationCase, class_names: list[str] | None, criteria: Criteria, kind: LabelKind
) -> _Scored:
    if pair.prediction is None:
        raise DataError(f"no prediction found; it should be named {pair.expected}")
    reference, prediction = _read(pair.reference), _read(pair.prediction)
    _check_grid(reference, prediction)
    if class_names is None:
        class_names, reference, prediction = _named_by_value(reference, prediction)
    of_pred: LabelKind = "instances" if kind == "instances" else "classes"
    arrays = as_classes(prediction.array, of_pred), as_classes(reference.array, kind)
    if isinstance(reference, Picture):
        pred, label = (array[:, :, 0] for array in arrays)
        scores = label_scores(pred, label, class_names, (1.0, 1.0), criteria)
    else:
        scores = label_scores(*arrays, class_names, reference.spacing_mm, criteria)
    return _Scored(
        scores=scores,
        objects=(
            instance_scores(prediction.array, reference.array) if kind == "instances" else None
        ),
        voxels=reference.array.size,
        unit="px" if isinstance(reference, Picture) else "mm",
    )


def _read(path: Path) -> Volume | Picture:
    image = read_image(path, where="label")
    if image.array.dtype.kind in "iu":
        return image
    # Some programs store labels as floating point.
    if not (np.isfinite(image.array).all() and (image.array == np.rint(image.array)).all()):
        raise DataError(f"{path}: holds values that are not whole numbers; give a label file")
    return dataclasses.replace(image, array=image.array.astype(np.int32))


def _check_grid(reference: Volume | Picture, prediction: Volume | Picture) -> None:
    if reference.shape != prediction.shape:
        raise DataError(
            f"the prediction has shape {prediction.shape}, the reference {reference.shape}; "
            "predict on the image that the reference was drawn on"
        )
    if grid_problems(reference, prediction):
        raise DataError(
            f"prediction and reference lie more than {GRID_TOLERANCE_MM} mm apart in space; "
            "predict on the image that the reference was drawn on, or correct the affine"
        )


def _named_by_value(
    reference: Volume | Picture, prediction: Volume | Picture
) -> tuple[list[str], Volume | Picture, Volume | Picture]:
    """Names for the values that occur, and both labels as indices into that list."""
    present = count_values(reference.array).keys() | count_values(prediction.array).keys()
    values = sorted({0, *(int(value) for value in present)})
    if values[0] < 0 or len(values) > _MOST_LABELS:
        raise DataError(f"{len(values)} values from {values[0]}; give label files, not images")
    reference, prediction = (
        dataclasses.replace(volume, array=np.searchsorted(values, volume.array).astype(np.uint16))
        for volume in (reference, prediction)
    )
    return [f"{_UNNAMED}{value}" for value in values], reference, prediction


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
