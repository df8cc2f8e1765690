"""Balanced Dice loss: Dice per class and case with squared terms, whatever a structure's size.

The squares in the denominator are V-Net's; here every class has its own Dice coefficient. The sums
are written out: MONAI's `DiceLoss(squared_pred=True)` is the same in exact arithmetic, but computes
the overlap as a difference of norms; for a structure of one voxel in a million, float32 rounding
then makes the gradient in all other voxels wrong by one per cent.

References:
    Milletari et al., V-Net, 3DV 2016, section 3. https://doi.org/10.1109/3DV.2016.79
"""

from typing import Literal, get_args

from torch import Tensor, nn

from medseg._checks import require_choice
from medseg.losses.arguments import Average, Classes, require_counting
from medseg.losses.inputs import softmax_and_labels

__all__ = ["BalancedDiceLoss"]

Absent = Literal["missed", "matched"]


class BalancedDiceLoss(nn.Module):
    """One minus the mean over cases and classes of 2 Σ y p / (Σ (y² + p²) + eps).

    Sums run over the voxels of a case; y is 1 where the label is the class and 0 elsewhere, p
    is the softmax of the logits. With two classes and `classes="foreground"` this is one minus
    V-Net's coefficient.

    Args:
        average: `case` divides the sums of each case and averages the results; `batch` sums over
            the whole batch first.
        classes: Average over `all` classes or over the `foreground` only, without class 0.
        absent: How a class absent from the label counts. `missed`: by the formula, its
            coefficient is 0 whatever is predicted, a constant without gradient. `matched`: eps is
            added to the numerator too, so that the coefficient is 1 if nothing is predicted, and
            false positives get a gradient. Use this if patches often lack a class.
        ignore_index: Label value of voxels that do not count.
        eps: Positive constant in the denominator, against division by zero.

    Raises:
        UsageError: If an argument is out of its range.
    """

    def __init__(
        self,
        *,
        average: Average = "case",
        classes: Classes = "all",
        absent: Absent = "missed",
        ignore_index: int | None = None,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        require_counting("BalancedDiceLoss", average, classes, ignore_index, eps=eps)
        require_choice("BalancedDiceLoss: absent", absent, get_args(Absent))
        self.average: Average = average
        self.first_class = 1 if classes == "foreground" else 0
        self.ignore_index = ignore_index
        self.eps = eps
        self.eps_above = eps if absent == "matched" else 0.0

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """Return the scalar loss, in [0, 1], in float32 also for half precision.

        Args:
            logits: `(B, C, *spatial)` with at least two classes.
            label: `(B, 1, *spatial)`, class indices of any dtype.

        Raises:
            ValueError: If the shapes do not fit, or a label value is neither a class nor
                `ignore_index`.
        """
        p, y = softmax_and_labels(logits, label, ignore_index=self.ignore_index)
        p, y = p[:, self.first_class :], y[:, self.first_class :]
        axes = tuple(range(2, p.ndim)) if self.average == "case" else (0, *range(2, p.ndim))
        overlap = (y * p).sum(axes)
        size = (y * y + p * p).sum(axes)
        return 1 - ((2 * overlap + self.eps_above) / (size + self.eps)).mean()
