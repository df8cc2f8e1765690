"""Instance scores: SEG of the Cell Tracking Challenge, and panoptic quality.

SEG measures how well each object of the label was segmented, and ignores false positive objects;
panoptic quality (PQ) counts them. As their authors do, both can be summed over images before the
division: a frame with ten cells then weighs ten times as much as a frame with one.

MONAI's `compute_panoptic_quality` gives the same up to its smoothing of 1e-6, but compares
whole-image masks object by object.

References:
    Maska et al., A benchmark for comparison of cell tracking algorithms, Bioinformatics 2014 (SEG).
    https://doi.org/10.1093/bioinformatics/btu080
    Kirillov et al., Panoptic segmentation, CVPR 2019. https://arxiv.org/abs/1801.00868
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.errors import DataError
from medseg.metrics.objects import SharedVoxels, shared_voxels

__all__ = ["InstanceScores", "instance_scores", "pooled_instances"]


@dataclass(frozen=True, kw_only=True)
class InstanceScores:
    """Instance scores of one image, or of several pooled.

    An image without objects in label and prediction scores 1; one with objects in only one of
    the two scores 0.

    Attributes:
        label_objects: Number of objects in the label.
        pred_objects: Number of objects in the prediction.
        matched: Number of pairs with an IoU above 0.5; an object is in at most one.
        matched_iou: Sum of their IoU.
        seg_iou: Sum, over the label's objects, of the IoU with the predicted object that covers
            more than half of it, 0 if none does.
    """

    label_objects: int
    pred_objects: int
    matched: int
    matched_iou: float
    seg_iou: float

    @property
    def seg(self) -> float:
        """SEG, in [0, 1]: mean IoU over the label's objects."""
        if self.label_objects:
            return self.seg_iou / self.label_objects
        return 0.0 if self.pred_objects else 1.0

    @property
    def sq(self) -> float:
        """Segmentation quality, 0 or in (0.5, 1]: mean IoU of the matched pairs."""
        if self.matched:
            return self.matched_iou / self.matched
        return 0.0 if self.label_objects or self.pred_objects else 1.0

    @property
    def rq(self) -> float:
        """Recognition quality, in [0, 1]: F1 of the objects at an IoU above 0.5."""
        objects = self.label_objects + self.pred_objects
        return 2 * self.matched / objects if objects else 1.0

    @property
    def pq(self) -> float:
        """Panoptic quality, in [0, 1]: SQ times RQ."""
        return self.sq * self.rq


def instance_scores(pred: NDArray[Any], label: NDArray[Any]) -> InstanceScores:
    """Score an instance label; the numbering of the objects does not matter.

    Args:
        pred: `(I, J)` or `(I, J, K)`, integers: 0 is background, n > 0 the voxels of object n.
        label: The same shape, the reference.

    Raises:
        DataError: If the shapes differ, or a value is no integer or negative.
    """
    if pred.shape != label.shape:
        raise DataError(
            f"prediction and label must have one shape, got {pred.shape} and {label.shape}"
        )
    pairs = shared_voxels(_numbered("prediction", pred), _numbered("label", label))
    covering = 2 * pairs.shared > pairs.label_sizes[pairs.label]
    return InstanceScores(
        label_objects=int(np.count_nonzero(pairs.label_sizes)),
        pred_objects=int(np.count_nonzero(pairs.pred_sizes)),
        matched=int(np.count_nonzero(pairs.matched)),
        matched_iou=_sum(pairs, pairs.matched),
        seg_iou=_sum(pairs, covering),
    )


def pooled_instances(images: Iterable[InstanceScores]) -> InstanceScores:
    """Pool the scores of several images: every object weighs the same.

    Raises:
        ValueError: If there is no image.
    """
    rows = [astuple(one) for one in images]
    if not rows:
        raise ValueError("pooled_instances needs one image at least, got none")
    label_objects, pred_objects, matched, matched_iou, seg_iou = map(sum, zip(*rows, strict=True))
    return InstanceScores(
        label_objects=label_objects,
        pred_objects=pred_objects,
        matched=matched,
        matched_iou=matched_iou,
        seg_iou=seg_iou,
    )


def _numbered(what: str, objects: NDArray[Any]) -> NDArray[Any]:
    if objects.dtype.kind not in "iu":
        raise DataError(f"{what} must number its objects with integers, got {objects.dtype}")
    if objects.min(initial=0) < 0:
        raise DataError(f"{what} has an object with number {objects.min()}; number objects from 1")
    if objects.max(initial=0) <= objects.size:
        return objects
    values, numbers = np.unique(objects, return_inverse=True)
    return numbers.reshape(objects.shape) + (values[0] > 0)


def _sum(pairs: SharedVoxels, chosen: NDArray[np.bool_]) -> float:
    return float(pairs.ious[chosen].sum())
