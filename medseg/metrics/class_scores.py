"""Scores of one class of one case: overlap, distance, volume, lesions.

MONAI's metrics drop empty masks: a structure that the network missed becomes NaN, which improves
the mean over the other cases. Here every case counts in every class:

|                         | both        | missed, invented        | absent |
|-------------------------|-------------|-------------------------|--------|
| DSC, IoU                | as measured | 0                       | 1      |
| precision, recall       | as measured | 0                       | 1      |
| NSD, lesion F1          | as measured | 0                       | 1      |
| HD95, ASSD              | as measured | the volume's diagonal   | 0      |
| volume error            | as measured | 100 %                   | 0      |
| conformity              | as measured | 1 - voxels of the image | 1      |
| accuracy                | as measured | as measured             | 1      |

Both: in label and prediction; missed: in the label only; invented: in the prediction only.
Conformity divides by the true positives; without any, it is that of a missed structure.

Reference:
    Maier-Hein et al., Metrics reloaded, Nat. Methods 2024.
    https://doi.org/10.1038/s41592-023-02151-z
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medseg.metrics.lesions import LesionCounts, lesion_f1
from medseg.metrics.surface import SurfaceScores
from medseg.metrics.voxel_counts import overlap_scores, volume_error

__all__ = ["EXACT", "ClassScores", "Presence", "Shapes", "absent_scores", "class_scores"]

Presence = Literal["both", "missed", "invented", "absent"]
Shapes = tuple[SurfaceScores, LesionCounts]

# Scores of a class absent from both label and prediction.
EXACT: Shapes = (
    SurfaceScores(hd95_mm=0.0, nsd=1.0, assd_mm=0.0),
    LesionCounts(label=0, found=0, pred=0, right=0),
)


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """Scores of one class of one case; see the module for empty classes.

    Attributes:
        name: The class.
        presence: Where it occurs; `both` does not imply that they overlap.
        dsc: Dice similarity coefficient, in [0, 1].
        iou: Intersection over union, in [0, 1].
        precision: Fraction of the prediction that is correct, in [0, 1].
        recall: Fraction of the label that was found, in [0, 1].
        hd95_mm: 95th percentile of the Hausdorff distance, see `SurfaceScores`.
        pred_ml: Volume of the prediction; a 2-D image counts as 1 mm thick.
        label_ml: Volume of the label, likewise.
        accuracy: Fraction of all voxels that are correct, in [0, 1]; high if a class is small.
        conformity: 1 - (FP + FN) / TP, 1 at most; see `overlap_scores`.
        nsd: Normalised surface distance at the tolerance of the criteria, in [0, 1].
        assd_mm: Average symmetric surface distance.
        volume_error_percent: |prediction - label| in per cent of the label's volume.
        lesion_f1: F1 of connected components, in [0, 1], see `medseg.metrics.lesions`.
        label_lesions: Number of connected components of the label.
        found_lesions: Number of those that were found.
        pred_lesions: Number of connected components of the prediction.
        right_lesions: Number of those that are correct.
        tp: True positive voxels.
        fp: False positive voxels, in the prediction only.
        fn: False negative voxels, in the label only.
        tn: True negative voxels.
    """

    name: str
    presence: Presence
    dsc: float
    iou: float
    precision: float
    recall: float
    hd95_mm: float
    pred_ml: float
    label_ml: float
    accuracy: float
    conformity: float
    nsd: float
    assd_mm: float
    volume_error_percent: float
    lesion_f1: float
    label_lesions: int
    found_lesions: int
    pred_lesions: int
    right_lesions: int
    tp: int
    fp: int
    fn: int
    tn: int


def class_scores(
    name: str, counts: NDArray[np.int64], shapes: Shapes, spacing_mm: Sequence[float]
) -> ClassScores:
    """Compute all scores of a class from voxel counts, surface scores and lesion counts.

    Args:
        name: The class.
        counts: `(4,)`: true positives, false positives, false negatives, true negatives.
        shapes: Surface scores and lesion counts.
        spacing_mm: Size of a voxel along each axis, in mm.
    """
    surface, lesions = shapes
    tp, fp, fn, tn = (int(n) for n in counts)
    ml = math.prod(spacing_mm) / 1000
    of_lesions = [lesions.label, lesions.found, lesions.pred, lesions.right]
    return ClassScores(
        name=name,
        presence=_presence(tp + fp, tp + fn),
        **{metric: float(value) for metric, value in overlap_scores(counts).items()},
        hd95_mm=surface.hd95_mm,
        nsd=surface.nsd,
        assd_mm=surface.assd_mm,
        pred_ml=(tp + fp) * ml,
        label_ml=(tp + fn) * ml,
        volume_error_percent=100 * volume_error(tp + fp, tp + fn),
        lesion_f1=float(lesion_f1(np.array(of_lesions))),
        label_lesions=lesions.label,
        found_lesions=lesions.found,
        pred_lesions=lesions.pred,
        right_lesions=lesions.right,
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
    )


def absent_scores(name: str, voxels: int = 0) -> ClassScores:
    """Scores of a class absent from label and prediction, in an image of `voxels` voxels."""
    return class_scores(name, np.array([0, 0, 0, voxels]), EXACT, (1.0,))


def _presence(in_pred: int, in_label: int) -> Presence:
    if in_pred:
        return "both" if in_label else "invented"
    return "missed" if in_label else "absent"
