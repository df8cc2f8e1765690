"""Voxel-count scores (DSC, IoU, precision, recall, ...) from a confusion matrix.

Counts of several cases may be added before they are scored; that gives pooled (micro) scores.
Empty masks have a defined value, see `medseg.metrics.class_scores`.

References:
    Maier-Hein et al., Metrics reloaded, Nat. Methods 2024.
    https://doi.org/10.1038/s41592-023-02151-z
    Chang et al., Performance measure characterization for evaluating neuroimage segmentation
    algorithms, NeuroImage 2009 (conformity). https://doi.org/10.1016/j.neuroimage.2009.03.068
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["OverlapMetric", "confusion", "one_against_rest", "overlap_scores", "volume_error"]

OverlapMetric = Literal["dsc", "iou", "precision", "recall", "accuracy", "conformity"]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

# Voxels per slab: the integers that bincount needs stay in the cache.
_SLAB_VOXELS = 1 << 20


def confusion(pred: NDArray[Any], label: NDArray[Any], classes: int) -> Counts:
    """Confusion matrix: voxel counts of every pair of predicted and reference value.

    Args:
        pred: Any shape, integers below `classes`.
        label: The same shape.
        classes: Number of values.

    Returns:
        `(classes, classes)`, the prediction's value first.
    """
    flat_pred, flat_label = pred.reshape(-1), label.reshape(-1)
    counts = np.zeros(classes * classes, dtype=np.int64)
    for start in range(0, pred.size, _SLAB_VOXELS):
        slab = slice(start, start + _SLAB_VOXELS)
        pairs = flat_pred[slab].astype(np.intp) * classes + flat_label[slab].astype(np.intp)
        counts += np.bincount(pairs, minlength=classes * classes)
    return counts.reshape(classes, classes)


def one_against_rest(counts: Counts) -> Counts:
    """One-versus-rest counts of each class.

    Args:
        counts: `(classes, classes)`, from `confusion`.

    Returns:
        `(classes, 4)`: true positives, false positives, false negatives, true negatives.
    """
    tp = np.diag(counts)
    fp, fn = counts.sum(axis=1) - tp, counts.sum(axis=0) - tp
    return np.stack([tp, fp, fn, counts.sum() - tp - fp - fn], axis=1)


def overlap_scores(counts: NDArray[Any]) -> Mapping[OverlapMetric, Floats]:
    """Compute the scores that follow from the four counts.

    Args:
        counts: `(*any, 4)`: true positives, false positives, false negatives, true negatives.

    Returns:
        `(*any)` for each score: all in [0, 1] but conformity, which is 1 - (FP + FN) / TP, at
        most 1; without true positives it is 1 - N for N voxels in all, less than any other value.
    """
    tp, fp, fn, tn = (np.asarray(counts[..., i], dtype=np.float64) for i in range(4))
    in_pred, in_label, voxels = tp + fp, tp + fn, tp + fp + fn + tn
    conformity = 1 - (fp + fn) / np.where(tp > 0, tp, 1)
    return {
        "dsc": _share(2 * tp, in_pred + in_label),
        "iou": _share(tp, tp + fp + fn),
        "precision": _share(tp, np.where(in_pred > 0, in_pred, in_label)),
        "recall": _share(tp, np.where(in_label > 0, in_label, in_pred)),
        "accuracy": _share(tp + tn, voxels),
        "conformity": np.where((tp > 0) | (fp + fn == 0), conformity, 1 - voxels),
    }


def volume_error(in_pred: float, in_label: float) -> float:
    """Relative volume error: |prediction - label| / label.

    Args:
        in_pred: Volume of the prediction, in any unit.
        in_label: Volume of the label, in the same.

    Returns:
        At least 0. 1 if only one of the two is there; 0 if neither is.
    """
    denominator = in_label or in_pred
    return abs(in_pred - in_label) / denominator if denominator else 0.0


def _share(part: Floats, whole: Floats) -> Floats:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), 1.0)
