"""Labels in DICOM among those that are scored: which files they are, and in which grid they are.

A SEG or RTSTRUCT gets the grid of its image where that is known, else that of the label beside it.
So what `medseg predict` writes as `_seg.dcm` is scored against NIfTI, SEG and contours alike.
"""

from pathlib import Path

from medseg.data.dicom.labels.grid import LabelGrid
from medseg.data.dicom.labels.label_file import label_error, label_file
from medseg.data.images.clinic_label import read_clinic_label, shared_grid
from medseg.data.images.picture import Picture, read_label
from medseg.data.images.volume import Volume
from medseg.data.label_source import LabelSource, as_label_source
from medseg.reports.pairing import EvaluationCase

__all__ = ["read_both"]

Label = Volume | Picture


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
