"""Labels in DICOM among those that are scored: which files they are, and in which grid they are.

A SEG or RTSTRUCT gets the grid of its image where that is known, else that of the label beside it.
So what `medseg predict` writes as `_seg.dcm` is scored against NIfTI, SEG and contours alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medseg.data.dicom.labels.grid import LabelGrid
from medseg.data.dicom.labels.label_file import label_error, label_file
from medseg.data.images.clinic_label import read_clinic_label, shared_grid
from medseg.data.images.picture import Picture, read_label
from medseg.data.images.volume import Volume
from medseg.data.label_source import LabelSource, as_label_source, label_source
from medseg.reports.pairing import EvaluationCase

__all__ = ["read_both", "with_names"]

Label = Volume | Picture


def with_names(
    pairs: Sequence[EvaluationCase],
    class_names: Sequence[str],
    rois: Mapping[str, str],
    images: Mapping[str, Path],
) -> list[EvaluationCase]:
    """Pairs whose labels in DICOM know their classes and, where it is given, their image.

    Args:
        pairs: Of two folders.
        class_names: One for each value; empty takes a SEG's numbers.
        rois: By pattern of names, the class.
        images: Image of each case, as far as it is known.
    """
    # A prediction may have the classes' own names, whatever the references are called.
    named = {name: name for name in class_names[1:]} if rois else {}
    return [
        replace(
            pair,
            reference=label_source(
                Path(str(pair.reference)), images.get(pair.case), class_names, rois
            ),
            prediction=None
            if pair.prediction is None
            else label_source(Path(str(pair.prediction)), None, class_names, {**rois, **named}),
        )
        for pair in pairs
    ]


def read_both(pair: EvaluationCase) -> tuple[Label, Label]:
    """Read reference and prediction of a pair that has both.

    Raises:
        InputError: If either cannot be read, or is contours and nothing gives them voxels.
    """
    reference, prediction = as_label_source(pair.reference), as_label_source(pair.prediction or "")
    if reference is None or reference.image is not None:
        found = read_label(pair.reference)
        return found, _read_on(prediction, pair.prediction, _grid_of(found))
    if prediction is None or prediction.image is not None:
        found = read_label(pair.prediction or "")
        return _read_on(reference, pair.reference, _grid_of(found)), found
    grid = shared_grid([reference, prediction])
    if grid is None and label_file(reference.path) is not None:
        what = "has no voxels of its own, and neither has its prediction"
        raise label_error(reference.path, what, "give the images (--images, or --manifest)")
    return (
        _read_on(reference, pair.reference, grid),
        _read_on(prediction, pair.prediction, grid),
    )


def _read_on(
    source: LabelSource | None, path: LabelSource | Path | None, grid: LabelGrid | None
) -> Label:
    read = None if source is None else read_clinic_label(source, grid)
    return read or read_label(path or "")


def _grid_of(label: Label) -> LabelGrid | None:
    return None if isinstance(label, Picture) else LabelGrid(label.shape, label.affine)
