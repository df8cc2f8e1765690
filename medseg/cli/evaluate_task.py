"""Task of `medseg evaluate`: its pairs of files, and what their values mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medseg.cli.rois import named_by
from medseg.data.known_folders import known_dataset_dir
from medseg.data.label_kind import LabelKind
from medseg.data.manifest import load_manifest
from medseg.data.output_names import SUMMARY
from medseg.data.patterns import expand
from medseg.errors import DataError, UsageError
from medseg.reports.pairing import (
    EvaluationCase,
    EvaluationSplit,
    pairs_by_manifest,
    pairs_by_name,
    with_names,
)
from medseg.reports.predicted_labels import PredictedLabels, predicted_labels

__all__ = ["References", "Task"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be scored, and what is to be said of it.

    Attributes:
        name: What is evaluated, for the title.
        pairs: The cases.
        class_names: One for each value, the background's first; None names them by value.
        label_kind: Kind of the references.
        predicted_kind: Kind of the predictions; None if nothing says it.
        notes: What a reader of the scores has to know.
        images: Image of each case, where it is known.
        modality: Of the images, e.g. `CT`; empty if it is not known.
    """

    name: str
    pairs: Sequence[EvaluationCase]
    class_names: list[str] | None
    label_kind: LabelKind
    predicted_kind: LabelKind | None
    notes: tuple[str, ...] = ()
    images: Mapping[str, Path] = field(default_factory=dict[str, Path])
    modality: str = ""


@dataclass(frozen=True, kw_only=True)
class References:
    """Where the references are and what is said of them: a folder, or a manifest with its folder.

    Attributes:
        labels: Folder of the references.
        manifest: Or a manifest.
        dataset_dir: Folder of the manifest's files; None takes the one that was planned with.
        split: Which of its cases.
        fold: The fold held out for validation.
        label_names: Names of the values of labels in a folder; empty if not given.
        label_kind: Kind of labels in a folder; None if not given.
        images: Folder of their images; None if not given.
        rois: Of labels in DICOM: by pattern of names, the class.
    """

    labels: Path | None
    manifest: Path | None
    dataset_dir: Path | None
    split: EvaluationSplit
    fold: int
    label_names: tuple[str, ...]
    label_kind: LabelKind | None
    images: Path | None = None
    rois: Mapping[str, str] = field(default_factory=dict[str, str])

    def task(self, predictions: Path) -> Task:
        """Pair the references with predictions.

        Raises:
            UsageError: If they are given in both ways or in neither.
            DataError: If files cannot be paired, or the predictions have other classes.
        """
        described = bool(self.label_names or self.label_kind or self.images or self.rois)
        if self.labels is not None and self.manifest is None and self.dataset_dir is None:
            names = self.label_names or named_by(self.rois)
            task = _by_name(self.labels, predictions, names, self.label_kind)
            images = {} if self.images is None else self._images(self.labels)
            pairs = with_names(task.pairs, task.class_names or (), self.rois, images)
            return replace(task, images=images, pairs=pairs)
        if self.labels is None and self.manifest and not described:
            folder = self.dataset_dir or Path(known_dataset_dir(self.manifest, ""))
            if folder.name:
                return _by_manifest(self.manifest, folder, predictions, self.split, self.fold)
        raise UsageError(
            "use --labels DIR, with or without --label-names, --label-kind, --rois and --images, "
            "or --manifest FILE with --dataset-dir DIR"
        )

    def _images(self, labels: Path) -> dict[str, Path]:
        """Image of each reference that has one, by the case's name."""
        found = pairs_by_name(labels, self.images) if self.images is not None else []
        return {one.case: one.prediction for one in found if isinstance(one.prediction, Path)}


def _by_name(
    labels: Path, predictions: Path, names: tuple[str, ...], kind: LabelKind | None
) -> Task:
    """Two folders; what is not said is taken from the `summary.json` beside the predictions."""
    stated = predicted_labels(_folder(predictions))
    numbered = stated is not None and stated.kind == "instances"
    kind = kind or ("instances" if numbered else "classes")
    names = names or (() if stated is None else stated.class_names)
    if kind != "classes":
        names = names or ("background", "foreground")
    return Task(
        name=labels.name,
        pairs=pairs_by_name(labels, predictions),
        class_names=list(names) or None,
        label_kind=kind,
        predicted_kind=None if stated is None else stated.kind,
        notes=_notes(kind, stated),
    )


def _by_manifest(
    manifest: Path, dataset_dir: Path, predictions: Path, split: EvaluationSplit, fold: int
) -> Task:
    dataset, stated = load_manifest(manifest), predicted_labels(_folder(predictions))
    if stated is not None and list(stated.class_names) != dataset.class_names:
        raise DataError(
            f"{predictions}: its {SUMMARY} says that its classes are {list(stated.class_names)}, "
            f"{dataset.name} has {dataset.class_names}; use a manifest of these classes, or "
            "--labels DIR with --label-names"
        )
    place = f"{split}, fold {fold}" if split in ("validation", "training") else split
    return Task(
        name=f"{dataset.name} {place}",
        pairs=pairs_by_manifest(dataset, dataset_dir, predictions, split=split, fold=fold),
        class_names=dataset.class_names,
        label_kind=dataset.label_kind,
        predicted_kind=None if stated is None else stated.kind,
        notes=_notes(dataset.label_kind, stated),
        images={case.case: dataset_dir / case.images[0] for case in dataset.cases},
        modality=dataset.modality,
    )


def _folder(predictions: Path) -> Path:
    """The folder of the predictions, which may be given as a pattern."""
    found = expand(predictions)
    return found[0].parent if found and not predictions.is_dir() else predictions


def _notes(kind: LabelKind, stated: PredictedLabels | None) -> tuple[str, ...]:
    if kind == "instances" and stated is not None and stated.kind != "instances":
        return ("the references number objects, the predictions do not: only classes are scored",)
    return ()
