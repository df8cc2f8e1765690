"""Soft Dice loss for mutually exclusive classes.

MONAI's `DiceLoss` selects activation, one-hot encoding and background by flags that can
contradict each other. Here the network always gives logits and the label is an index map, so
there is nothing to select; MONAI computes the loss.

Reference:
    Sudre et al., Generalised Dice overlap as a deep learning loss function for highly
    unbalanced segmentations, DLMIA 2017. https://doi.org/10.1007/978-3-319-67558-9_28
"""

from monai.losses.dice import DiceLoss
from torch import Tensor, nn

from medseg.losses.arguments import Average, Classes, require_counting
from medseg.losses.inputs import softmax_and_labels

__all__ = ["SoftDiceLoss"]


class SoftDiceLoss(nn.Module):
    """Mean over classes of 1 - (2 TP + smooth) / (2 TP + FP + FN + smooth).

    True positives TP, false positives FP and false negatives FN are sums of probabilities. A
    class absent from label and prediction is a perfect match.

    Args:
        average: `batch` sums the counts over the whole batch before dividing; `case` divides in
            each case and averages the results.
        classes: Average over `all` classes or over the `foreground` only, without class 0.
        ignore_index: Label value of voxels that do not count.
        smooth: Positive constant in numerator and denominator, against division by zero.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        average: Average = "batch",
        classes: Classes = "all",
        ignore_index: int | None = None,
        smooth: float = 1e-5,
    ) -> None:
        super().__init__()
        require_counting("SoftDiceLoss", average, classes, ignore_index, smooth=smooth)
        self.ignore_index = ignore_index
        self.overlap = DiceLoss(
            include_background=classes == "all",
            batch=average == "batch",
            smooth_nr=smooth,
            smooth_dr=smooth,
        )

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the scalar loss, in [0, 1], in float32 also for half precision.

        Args:
            logits: `(B, C, *spatial)` with at least two classes.
            label: `(B, 1, *spatial)`, class indices of any dtype.

        Raises:
            ValueError: If the shapes do not fit, or a label value is neither a class nor
                `ignore_index`.
        """
        return self.overlap(*softmax_and_labels(logits, label, ignore_index=self.ignore_index))
