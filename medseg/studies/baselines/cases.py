"""Labelling of a data set's cases by a classical method, and their scores.

Labels are written as `medseg predict` writes them, in the image's grid, and scored as `medseg
evaluate` scores any; neither knows what made them.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from medseg._files import write_atomically
from medseg._text import printable
from medseg.data.datalists import case_label, image_paths
from medseg.data.images.channels import on_first_grid, read_channels
from medseg.data.images.naming import label_suffix
from medseg.data.images.picture import Picture, read_label
from medseg.data.images.volume import Volume
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Case, Manifest
from medseg.data.output_names import LABEL, SUMMARY
from medseg.errors import DataError, meets_all, user_error
from medseg.inference.save import save_label
from medseg.metrics.criteria import Criteria
from medseg.reports.pairing import EvaluationCase
from medseg.reports.scoring import score_pairs, write_scores
from medseg.reports.tables import Evaluation
from medseg.reports.worst_cases import Origin, draw_worst
from medseg.studies.baselines.brightness import Floats
from medseg.studies.baselines.method import Settings, label_image

__all__ = ["LABELS", "label_cases", "score_labels"]

# Folder of a method's labels, within that of the method.
LABELS = "labels"


def label_cases(
    manifest: Manifest,
    dataset_dir: Path,
    cases: Iterable[Case],
    settings: Settings,
    folder: Path,
    *,
    failing: Callable[[Exception], None] | None = None,
) -> dict[str, str]:
    """Label cases, and write each as `<case>_seg` with a `summary.json` that says what they are.

    Args:
        manifest: The data set.
        dataset_dir: Folder of its files.
        cases: Those to label.
        settings: The method.
        folder: Folder of the labels.
        failing: Told what a case raised, with its traceback.

    Returns:
        Why cases could not be labelled, by case; it never costs the others.
    """
    failed: dict[str, str] = {}
    for case in cases:
        try:
            _label_case(manifest, dataset_dir, case, settings, folder)
        except Exception as error:
            if meets_all(error):
                raise
            failed[case.case] = printable(f"{case.case}: {_reason(error)}")
            if failing is not None:
                failing(error)
    stated = {"label_kind": "classes", "class_names": manifest.class_names}
    text = json.dumps({**stated, "method": settings.method}, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / SUMMARY, partial(Path.write_text, data=text, encoding="utf-8"))
    return failed


def score_labels(
    manifest: Manifest,
    dataset_dir: Path,
    cases: Sequence[Case],
    folder: Path,
    failed: dict[str, str],
    *,
    name: str,
) -> Evaluation:
    """Score the labels of `label_cases` as `medseg evaluate` does; write its tables and pictures.

    Args:
        manifest: The data set.
        dataset_dir: Folder of its references.
        cases: Those that were labelled; without a reference, a case is not scored.
        folder: Folder of the method: labels are in its `labels`.
        failed: Those without a label, and why.
        name: What is scored, for the title.

    Raises:
        DataError: If no case could be scored.
    """
    pairs = [
        EvaluationCase(
            case=printable(case.case),
            reference=case_label(case, dataset_dir, manifest) or dataset_dir / case.label,
            prediction=_path(folder / LABELS, case),
            expected=_path(folder / LABELS, case).name,
            group=case.group,
        )
        for case in cases
        if case.label is not None and case.case not in failed
    ]
    if not pairs:
        raise DataError(f"{name}: {next(iter(failed.values()), 'no case has a label to score by')}")
    scored = score_pairs(
        name,
        pairs,
        manifest.class_names,
        Criteria(),
        label_kind=manifest.label_kind,
        predicted_kind="classes",
    )
    evaluation = replace(scored, failed={**failed, **scored.failed})
    write_scores(evaluation, folder)
    origin = Origin(
        pairs=pairs,
        class_names=manifest.class_names,
        label_kind=manifest.label_kind,
        predicted_kind="classes",
        images={case.case: dataset_dir / case.images[0] for case in cases},
        modality=manifest.modality,
    )
    draw_worst(evaluation, origin, folder)
    return evaluation


def _label_case(
    manifest: Manifest, dataset_dir: Path, case: Case, settings: Settings, folder: Path
) -> None:
    image = read_channels(image_paths(case, dataset_dir, len(manifest.channels)))
    values = _channels_last(image)
    count = len(manifest.class_names)
    reference = None
    if settings.rule.name == "reference" and case.label is not None:
        label = case_label(case, dataset_dir, manifest)
        read = read_label(label or dataset_dir / case.label).array
        reference = as_classes(read, manifest.label_kind).reshape(values.shape[:-1])
    found = label_image(values, settings, count, reference)
    shape = image.shape[:2] if isinstance(image, Picture) else image.shape
    save_label(_path(folder, case), found.reshape(shape), image.affine)


def _channels_last(image: Volume | Picture) -> Floats:
    """`(*spatial, C)` without axes of one voxel, which have no neighbours."""
    channels: Floats = np.moveaxis(on_first_grid(image), 0, -1).astype(np.float64)
    kept = [size for size in image.shape if size > 1]
    spatial = kept if len(kept) >= 2 else image.shape[:2]
    return channels.reshape(*spatial, channels.shape[-1])


def _path(folder: Path, case: Case) -> Path:
    return folder / f"{case.case}{LABEL}{label_suffix(case.images[0])}"


def _reason(error: Exception) -> str:
    users = user_error(error)
    if users is not None:
        return str(users)
    return f"unexpected {type(error).__name__}; use medseg --debug baseline to see the traceback"
