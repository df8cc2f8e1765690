"""Dice plus binary cross-entropy loss for overlapping structures (multi-label).

MONAI's `DiceCELoss(sigmoid=True)` computes its second term with a softmax over the channels
as soon as there are two, so overlapping structures compete. Here that term is the binary
cross-entropy of every channel; MONAI's `DiceLoss` computes the first.

Reference:
    Isensee et al., nnU-Net, Nat. Methods 2021 (the sum of Dice and cross-entropy).
    https://doi.org/10.1038/s41592-020-01008-z
"""

from collections.abc import Sequence
from typing import get_args

from monai.losses.dice import DiceLoss
from torch import Tensor, nn

from medseg._checks import (
    require_choice,
    require_not_negative,
    require_positive,
    require_weights,
)
from medseg.losses.arguments import Average
from medseg.losses.bce import binary_cross_entropy
from medseg.losses.inputs import binary_target, plain_logits

__all__ = ["MultilabelDiceBCELoss"]


class MultilabelDiceBCELoss(nn.Module):
    """Weighted sum of soft Dice loss and binary cross-entropy, each the mean over channels.

    The Dice loss of a channel is 1 - (2 TP + smooth) / (2 TP + FP + FN + smooth), where counts are
    sums of probabilities; a structure absent from target and prediction is a perfect match. The
    other term is `MultilabelBCELoss`. There is no background channel: every channel counts.

    Args:
        dice_weight: Factor of the Dice loss, at least 0.
        bce_weight: Factor of the binary cross-entropy, at least 0; not both are 0.
        positive_weights: See `MultilabelBCELoss`.
        average: `batch` sums the counts of the Dice loss over the whole batch before dividing;
            `case` divides in each case and averages the results.
        smooth: Positive constant in numerator and denominator, against division by zero.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        dice_weight: float = 1.0,
        bce_weight: float = 1.0,
        positive_weights: Sequence[float] | None = None,
        average: Average = "batch",
        smooth: float = 1e-5,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        require_not_negative(f"{owner}: dice_weight", dice_weight)
        require_not_negative(f"{owner}: bce_weight", bce_weight)
        require_positive(f"{owner}: dice_weight + bce_weight", dice_weight + bce_weight)
        require_choice(f"{owner}: average", average, get_args(Average))
        require_positive(f"{owner}: smooth", smooth)
        if positive_weights is not None:
            require_weights(f"{owner}: positive_weights", positive_weights)
        self.dice_weight = dice_weight
        self.bce_weight = bce_weight
        self.positive_weights = None if positive_weights is None else tuple(positive_weights)
        self.dice = DiceLoss(batch=average == "batch", smooth_nr=smooth, smooth_dr=smooth)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the scalar loss, in float32 also for half precision.

        Args:
            logits: `(B, K, *spatial)`, before the sigmoid.
            target: `(B, K, *spatial)` of any dtype, values in {0, 1}.

        Raises:
            ValueError: If the shapes differ.
            DataError: If a target value is neither 0 nor 1.
            UsageError: If there are not as many weights as channels.
        """
        logits = plain_logits(logits)
        target = binary_target(logits, target)
        dice: Tensor = self.dice(logits.sigmoid(), target)
        bce = binary_cross_entropy(logits, target, self.positive_weights)
        return self.dice_weight * dice + self.bce_weight * bce
