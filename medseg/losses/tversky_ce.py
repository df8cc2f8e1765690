"""Tversky plus cross-entropy loss: separate weights for false positives and false negatives.

MONAI has the Tversky loss, but neither with class weights nor combined with cross-entropy. Its
`alpha` weights false positives and its `beta` false negatives, as in the paper; other texts
mean the reverse, so here the weights are named after the errors. Values equal MONAI's, in fewer
passes over the voxels: errors are computed as totals minus true positives.

References:
    Salehi et al., Tversky loss function for image segmentation using 3D fully
    convolutional deep networks, MLMI 2017. https://arxiv.org/abs/1706.05721
    Müller et al., Robust chest CT image segmentation of COVID-19 lung infection based on
    limited data, Inform. Med. Unlocked 2021 (the sum of the two).
    https://doi.org/10.1016/j.imu.2021.100681
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medseg._checks import require_not_negative, require_positive, require_weights
from medseg.losses.arguments import Average, Classes, require_counting
from medseg.losses.cross_entropy import per_class, weighted_cross_entropy
from medseg.losses.inputs import class_labels

__all__ = ["TverskyCELoss"]


class TverskyCELoss(nn.Module):
    """Mean over classes of one minus the Tversky index, plus weighted cross-entropy.

    With true positives TP, false positives FP and false negatives FN as sums of probabilities,
    the Tversky index of a class is

        (TP + smooth) / (TP + fp_weight FP + fn_weight FN + smooth),

    the Dice coefficient at weights 0.5 and 0.5, the Jaccard index at 1 and 1. A class
    absent from label and prediction is a perfect match. If no voxel counts (each is ignored or
    has class weight 0), the cross-entropy is 0; if all are ignored, the whole loss is 0, with a
    gradient of zeros.

    Args:
        fp_weight: Weight of false positives, at least 0.
        fn_weight: Weight of false negatives, at least 0; not both are 0.
        ce_weight: Factor of the cross-entropy, at least 0.
        class_weights: One weight per class, at least 0; the Tversky term becomes the weighted
            mean over classes, the cross-entropy the weighted mean over voxels, each with its
            class's weight. None means equal weights.
        ignore_index: Label value of voxels that count in neither term.
        average: `batch` sums the counts of the Tversky term over the whole batch before dividing;
            `case` divides in each case and averages the results. The cross-entropy is the mean
            over all voxels of the batch either way.
        classes: Average the Tversky term over `all` classes or over the `foreground` only, without
            class 0; the cross-entropy uses all.
        smooth: Added to numerator and denominator, so that an absent class is a match; positive.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each choice
        self,
        fp_weight: float = 0.7,
        fn_weight: float = 0.3,
        *,
        ce_weight: float = 1.0,
        class_weights: Sequence[float] | None = None,
        ignore_index: int | None = None,
        average: Average = "batch",
        classes: Classes = "all",
        smooth: float = 1e-5,
    ) -> None:
        super().__init__()
        require_not_negative("TverskyCELoss: fp_weight", fp_weight)
        require_not_negative("TverskyCELoss: fn_weight", fn_weight)
        require_positive("TverskyCELoss: fp_weight + fn_weight", fp_weight + fn_weight)
        require_not_negative("TverskyCELoss: ce_weight", ce_weight)
        require_counting("TverskyCELoss", average, classes, ignore_index, smooth=smooth)
        self.first_class = 1 if classes == "foreground" else 0
        self.class_weights = None if class_weights is None else tuple(class_weights)
        if self.class_weights is not None:
            require_weights("TverskyCELoss: class_weights", self.class_weights)
            counting = self.class_weights[self.first_class :]
            require_weights("TverskyCELoss: class_weights of the classes that count", counting)
        self.fp_weight, self.fn_weight, self.ce_weight = fp_weight, fn_weight, ce_weight
        self.ignore_index = ignore_index
        self.average: Average = average
        self.smooth = smooth

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the scalar loss, in float32 also under autocast (float64 stays).

        Args:
            logits: `(B, C, *spatial)` with at least two classes.
            label: `(B, 1, *spatial)`, class indices of any dtype.

        Raises:
            ValueError: If the shapes do not fit.
            UsageError: If there are not as many class weights as classes.
            DataError: If a label value is neither a class nor `ignore_index`.
        """
        logits = logits.as_subclass(Tensor)  # without the metadata of a MetaTensor
        wide = logits.dtype if logits.dtype == torch.float64 else torch.float32
        # Contiguous, each class in one block of memory, like the label's one-hot encoding.
        logits = logits.to(wide, memory_format=torch.contiguous_format)
        one_hot = class_labels(logits, label, ignore_index=self.ignore_index)
        weights = per_class("TverskyCELoss", self.class_weights, logits)
        log_probabilities = logits.log_softmax(dim=1)
        overlap = self._tversky(log_probabilities.exp(), one_hot, weights)
        cross_entropy = weighted_cross_entropy(log_probabilities, one_hot, weights)
        return overlap + self.ce_weight * cross_entropy

    def _tversky(self, probabilities: Tensor, one_hot: Tensor, weights: Tensor) -> Tensor:
        if self.ignore_index is not None:
            # Ignored voxels are in no class; with probability 0 they are no errors either.
            probabilities = probabilities * one_hot.sum(dim=1, keepdim=True)
        voxels = tuple(range(2, one_hot.ndim))
        tp = (probabilities * one_hot).sum(voxels)
        fp, fn = probabilities.sum(voxels) - tp, one_hot.sum(voxels) - tp
        if self.average == "batch":
            tp, fp, fn = (count.sum(dim=0) for count in (tp, fp, fn))
        errors = self.fp_weight * fp + self.fn_weight * fn
        index = (tp + self.smooth) / (tp + errors + self.smooth)
        by_class = (1 - index).reshape(-1, one_hot.shape[1]).mean(dim=0)
        weights = weights[self.first_class :]
        return (weights * by_class[self.first_class :]).sum() / weights.sum()
