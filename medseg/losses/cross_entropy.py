"""Cross-entropy loss for mutually exclusive classes; of two classes, the binary one.

torch's own takes labels without a channel, and reports a value that is no class in a way that
nobody reads. With logits a and b of background and foreground, softmax makes it the binary
cross-entropy of the logit b - a, which published recipes call BCE with logits.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medseg._checks import require_weights
from medseg.errors import UsageError
from medseg.losses.arguments import require_ignore_index
from medseg.losses.inputs import class_labels, plain_logits

__all__ = ["CrossEntropyLoss", "per_class", "weighted_cross_entropy"]


class CrossEntropyLoss(nn.Module):
    """Mean over voxels of -log p, p the softmax probability of the label's class.

    Args:
        class_weights: One weight per class, at least 0; the mean over voxels is then weighted,
            each with its class's weight. None means equal weights.
        ignore_index: Label value of voxels that do not count. If none counts, the loss is 0, with
            a gradient of zeros.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self, *, class_weights: Sequence[float] | None = None, ignore_index: int | None = None
    ) -> None:
        super().__init__()
        if class_weights is not None:
            require_weights("CrossEntropyLoss: class_weights", class_weights)
        require_ignore_index("CrossEntropyLoss", ignore_index)
        self.class_weights = None if class_weights is None else tuple(class_weights)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the scalar loss, at least 0, in float32 also for half precision.

        Args:
            logits: `(B, C, *spatial)` with at least two classes.
            label: `(B, 1, *spatial)`, class indices of any dtype.

        Raises:
            ValueError: If the shapes do not fit.
            UsageError: If there are not as many class weights as classes.
            DataError: If a label value is neither a class nor `ignore_index`.
        """
        logits = plain_logits(logits)
        one_hot = class_labels(logits, label, ignore_index=self.ignore_index)
        weights = per_class("CrossEntropyLoss", self.class_weights, logits)
        return weighted_cross_entropy(logits.log_softmax(dim=1), one_hot, weights)


def per_class(owner: str, given: Sequence[float] | None, logits: Tensor) -> Tensor:
    """One weight for each class of the logits; ones if none are given.

    Raises:
        UsageError: If there are not as many weights as classes; it names the loss `owner`.
    """
    classes = logits.shape[1]
    if given is not None and len(given) != classes:
        raise UsageError(
            f"{owner}: class_weights must be one for each of {classes} classes, got {len(given)}"
        )
    return logits.new_tensor([1.0] * classes if given is None else list(given))


def weighted_cross_entropy(log_probabilities: Tensor, one_hot: Tensor, weights: Tensor) -> Tensor:
    """Mean over voxels, each with the weight of its class; 0 if no voxel counts.

    Args:
        log_probabilities: `(B, C, *spatial)`.
        one_hot: `(B, C, *spatial)`, values in {0, 1}; all zero where a voxel is ignored.
        weights: `(C,)`, at least 0.
    """
    # Summed by class instead of nll_loss, which has no deterministic implementation on CUDA.
    voxels = (0, *range(2, one_hot.ndim))
    by_class = -(log_probabilities * one_hot).sum(voxels)
    total_weight = (weights * one_hot.sum(voxels)).sum()
    return (weights * by_class).sum() / torch.where(total_weight > 0, total_weight, 1)
