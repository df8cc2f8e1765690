"""Binary cross-entropy for overlapping structures, one channel each (multi-label).

With index labels and softmax a voxel belongs to one class only. Where one structure lies within
another (tumour in organ), each channel is a separate yes or no. Two exclusive classes do not need
this: softmax cross-entropy is then the binary one of the difference of the logits.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from medseg._checks import require_weights
from medseg.errors import UsageError
from medseg.losses.inputs import binary_target, plain_logits

__all__ = ["MultilabelBCELoss", "binary_cross_entropy"]


class MultilabelBCELoss(nn.Module):
    """Mean over voxels and channels of -[w y log p + (1 - y) log(1 - p)], p = sigmoid(logits).

    Args:
        positive_weights: One w per channel, at least 0; above 1, false negatives cost more than
            false positives. None means 1.

    Raises:
        UsageError: If a weight is out of its range.
    """

    def __init__(self, *, positive_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        if positive_weights is not None:
            require_weights("MultilabelBCELoss: positive_weights", positive_weights)
        self.positive_weights = None if positive_weights is None else tuple(positive_weights)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the scalar loss, in float32 also for half precision.

        Args:
            logits: `(B, K, *spatial)`, before the sigmoid.
            target: `(B, K, *spatial)` of any dtype, values in {0, 1}; with K = 1, an index label
                of background and foreground will do.

        Raises:
            ValueError: If the shapes differ.
            DataError: If a target value is neither 0 nor 1.
            UsageError: If there are not as many weights as channels.
        """
        logits = plain_logits(logits)
        target = binary_target(logits, target)
        return binary_cross_entropy(logits, target, self.positive_weights)


def binary_cross_entropy(
    logits: Tensor, target: Tensor, positive_weights: Sequence[float] | None
) -> Tensor:
    """Binary cross-entropy as in `MultilabelBCELoss`, for a `target` of the logits' dtype.

    Raises:
        UsageError: If there are not as many weights as channels.
    """
    if positive_weights is None:
        return functional.binary_cross_entropy_with_logits(logits, target)
    if len(positive_weights) != logits.shape[1]:
        raise UsageError(
            f"positive_weights must be one for each of {logits.shape[1]} channels, "
            f"got {len(positive_weights)}"
        )
    weights = logits.new_tensor(positive_weights).view(-1, *(1,) * (logits.ndim - 2))
    return functional.binary_cross_entropy_with_logits(logits, target, pos_weight=weights)
