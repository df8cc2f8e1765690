"""Pictures of the worst cases of an evaluation: image, prediction, reference as a white line.

A mean of 0.9 hides a case in which a whole lung is missing. The three lowest scores are looked at
first, so they are drawn, each with its scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.images.naming import is_raster
from medseg.data.images.picture import Picture, read_picture
from medseg.data.images.volume import Volume, read_volume
from medseg.data.label_kind import LabelKind
from medseg.errors import MedsegError
from medseg.metrics.class_scores import ClassScores
from medseg.reports.label_pair import read_pair
from medseg.reports.overlay import MontageOptions, overlay_montage
from medseg.reports.pairing import EvaluationCase
from medseg.reports.picture_overlay import PictureOptions, overlay_picture
from medseg.reports.score_files import WORST_FILES
from medseg.reports.tables import Evaluation

__all__ = ["Origin", "draw_worst"]

_UNNAMED = "label "


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the cases of an evaluation come from.

    Attributes:
        pairs: Their files.
        class_names: One for each value, the background's first; None if values have no names.
        label_kind: Kind of the references.
        predicted_kind: Kind of the predictions; None takes the references' where that can be.
        images: Image of each case, where it is known; else labels are drawn on black.
        modality: Of the images, e.g. `CT`.
    """

    pairs: Sequence[EvaluationCase]
    class_names: Sequence[str] | None
    label_kind: LabelKind = "classes"
    predicted_kind: LabelKind | None = None
    images: Mapping[str, Path]
    modality: str = ""


def draw_worst(evaluation: Evaluation, origin: Origin, folder: Path) -> None:
    """Write `WORST_FILES` of the cases with the lowest mean DSC, or SEG of objects, worst first.

    Files of an earlier evaluation that had more cases are removed.

    Args:
        evaluation: The scores.
        origin: The cases that were scored.
        folder: Folder of the scores.

    Raises:
        DataError: If a label can no longer be read.
    """
    pairs = {pair.case: pair for pair in origin.pairs}
    worst = sorted(evaluation.scores, key=lambda case: _mean(evaluation, case))
    for place, name in enumerate(WORST_FILES):
        if place < len(worst):
            _draw(evaluation, pairs[worst[place]], origin, place + 1, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def _mean(evaluation: Evaluation, case: str) -> float:
    objects = evaluation.instances.get(case)
    if objects is not None:
        return objects.seg
    return fmean(one.dsc for one in evaluation.scores[case])


def _draw(
    evaluation: Evaluation, pair: EvaluationCase, origin: Origin, place: int, path: Path
) -> None:
    numbered = evaluation.instances.get(pair.case) is not None
    other: LabelKind = "instances" if origin.label_kind == "instances" else "classes"
    count = None if origin.class_names is None else len(origin.class_names)
    read = read_pair(pair, count, origin.label_kind, origin.predicted_kind or other)
    scores = evaluation.scores[pair.case]
    pred, label = (read.prediction.array, read.reference.array) if numbered else read.classes
    names = origin.class_names
    if names is None:
        names, pred, label = _named(scores, pred, label)
    image, caution = _image_of(origin.images.get(pair.case), read.reference)
    score = f"{'SEG' if numbered else 'mean DSC'} {_mean(evaluation, pair.case):.3f}"
    title = f"{pair.case}: {score}, {_rank(place, len(evaluation.scores))}"
    options = MontageOptions(
        case=title,
        class_names=names,
        modality=origin.modality,
        made_by=f"{evaluation.name}; prediction as a fill, reference as a white line",
        cautions=[caution] if caution else [],
        remarks={one.name: f"DSC {one.dsc:.3f}" for one in scores},
    )
    if isinstance(read.reference, Picture):
        of_picture = PictureOptions(
            case=title,
            class_names=names,
            kind="instances" if numbered else "classes",
            made_by=options.made_by,
            cautions=options.cautions,
            remarks=options.remarks,
        )
        pred, label = pred[:, :, 0], label[:, :, 0]
        overlay_picture(image[:, :, 0], pred, path, of_picture, reference=label)
    else:
        overlay_montage(image, pred, read.reference.affine, path, options, reference=label)


def _rank(place: int, cases: int) -> str:
    lowest = "the lowest" if place == 1 else f"number {place} from below"
    return f"{lowest} of {cases}"


def _image_of(path: Path | None, label: Volume | Picture) -> tuple[NDArray[Any], str]:
    """The case's image, or black and why."""
    black = np.zeros(label.array.shape, np.uint8)
    if path is None:
        return black, "No image was given, so labels are drawn alone"
    try:
        image = read_picture(path) if is_raster(path) else read_volume(path)
    except MedsegError as error:
        return black, f"The image is not drawn: {error}"
    if image.array.shape[:3] != label.array.shape[:3]:
        return black, "The image is not drawn: it has another grid than the labels"
    return image.array, ""


def _named(
    scores: Sequence[ClassScores], pred: NDArray[Any], label: NDArray[Any]
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Names of classes that have none, and both labels as indices into them."""
    values = np.array([0, *(int(one.name.removeprefix(_UNNAMED)) for one in scores)])
    return (
        ["background", *(one.name for one in scores)],
        np.searchsorted(values, pred).astype(np.uint16),
        np.searchsorted(values, label).astype(np.uint16),
    )
