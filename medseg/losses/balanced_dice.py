"""Balanced Dice loss: every structure counts alike, however few voxels it has.

The squares in the denominator are V-Net's; here every label has a Dice coefficient of its
own. The sums are written out: MONAI's `DiceLoss(squared_pred=True)` is the same in exact
arithmetic, but takes the overlap as a difference of norms, and in float32 the gradient of a
structure of one voxel in a million is then wrong by a percent in all others.

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
        average: Whether the sums are divided in each `case` and then averaged, or run over the
            whole `batch` first.
        classes: Whether the mean takes `all` classes or leaves out class 0, the background.
        absent: What a class counts as that the label does not hold. `missed`: as the formula
            says, its coefficient is 0 whatever is predicted, which is a constant without a
            gradient. `matched`: eps is added above the line too, so that the coefficient is 1
            if nothing is predicted and training takes away what is. With patches that often
            lack a class, choose this.
        ignore_index: Label value of voxels that do not count.
        eps: See above; positive.

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
