"""Lesion-wise F1: connected components counted instead of voxels.

A large lesion hides small ones in every score that counts voxels. Here each connected component
counts as one. F1 is the harmonic mean of the fraction of the label's lesions that were found and
the fraction of the predicted ones that are correct, as in the MSSEG challenge; the criterion is
a choice:

| overlap | a lesion counts if ...                                                           |
|---------|----------------------------------------------------------------------------------|
| `any`   | it shares a voxel with the other mask (ISLES)                                    |
| `half`  | more than half of its voxels are in the other mask                               |
| `iou`   | one lesion of the other mask has with it an IoU above 0.5, as in panoptic quality |

References:
    Commowick et al., Objective evaluation of multiple sclerosis lesion segmentation, Sci. Rep.
    2018. https://doi.org/10.1038/s41598-018-31911-7
    Hernandez Petzsche et al., ISLES 2022, Sci. Data 2022.
    https://doi.org/10.1038/s41597-022-01875-5
"""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg._checks import require_choice
from medseg.metrics.criteria import LesionOverlap
from medseg.metrics.objects import SharedVoxels, shared_voxels

__all__ = ["LesionCounts", "lesion_counts", "lesion_f1"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LesionCounts:
    """Number of lesions in label and prediction, and of those found or correct."""

    label: int
    found: int
    pred: int
    right: int


def lesion_counts(pred: Mask, label: Mask, *, overlap: LesionOverlap = "any") -> LesionCounts:
    """Count lesions: connected components over faces, edges and corners.

    Args:
        pred: `(I, J)` or `(I, J, K)`.
        label: The same shape.
        overlap: When a lesion counts as found or correct, see the module.

    Raises:
        UsageError: If `overlap` is another word.
    """
    require_choice("overlap of lesions", overlap, get_args(LesionOverlap))
    pairs = shared_voxels(_components(pred), _components(label))
    found = _counted(pairs.label, pairs.label_sizes, pairs, overlap)
    right = _counted(pairs.pred, pairs.pred_sizes, pairs, overlap)
    return LesionCounts(
        label=len(pairs.label_sizes) - 1,
        found=found,
        pred=len(pairs.pred_sizes) - 1,
        right=right,
    )


def lesion_f1(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Lesion-wise F1 of counts, which may be sums over several cases.

    Args:
        counts: `(*any, 4)`: lesions of the label, found ones, predicted ones, correct ones.

    Returns:
        `(*any)`, in [0, 1]; 1 where there is no lesion in either, 0 if in one only.
    """
    label, found, pred, right = (np.asarray(counts[..., i], dtype=np.float64) for i in range(4))
    recall = found / np.where(label > 0, label, 1)
    precision = right / np.where(pred > 0, pred, 1)
    both = recall + precision
    f1 = 2 * recall * precision / np.where(both > 0, both, 1)
    return np.where(label + pred > 0, f1, 1.0)


def _components(mask: Mask) -> NDArray[np.int32]:
    return ndimage.label(mask, structure=np.ones((3,) * mask.ndim))[0]


def _counted(
    objects: NDArray[np.int64],
    sizes: NDArray[np.int64],
    pairs: SharedVoxels,
    overlap: LesionOverlap,
) -> int:
    if overlap == "any":
        return len(np.unique(objects))
    if overlap == "iou":
        return int(np.count_nonzero(pairs.matched))
    covered = np.bincount(objects, weights=pairs.shared, minlength=len(sizes))
    return int(np.count_nonzero(2 * covered > sizes))
