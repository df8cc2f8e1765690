"""Cross entropy in which every pixel has a weight of its own.

With the map of `BorderWeightd`, the thin gaps between cells count as much as whole cells, and
a network learns to leave them open.

Reference:
    Ronneberger et al., U-Net, MICCAI 2015, eq. 1. https://doi.org/10.1007/978-3-319-24574-4_28
"""

import torch
from torch import Tensor, nn

from medseg.errors import DataError, UsageError
from medseg.losses.arguments import require_ignore_index
from medseg.losses.inputs import class_labels, plain_logits

__all__ = ["PixelWeightedCELoss"]


class PixelWeightedCELoss(nn.Module):
    """Mean over voxels of weight times cross entropy; the cross entropy if all weights are 1.

    The paper's energy is the sum; it is divided by the number of voxels that count, not by
    their weights, so that a patch with many gaps costs more than one without. If no voxel
    counts the loss is 0, with a gradient of zeros.

    Args:
        ignore_index: Label value of voxels that do not count.

    Raises:
        UsageError: If `ignore_index` is no whole number.
    """

    def __init__(self, *, ignore_index: int | None = None) -> None:
        super().__init__()
        require_ignore_index("PixelWeightedCELoss", ignore_index)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the scalar loss, in float32 also for half precision.

        Args:
            logits: `(B, C, *spatial)` with at least two classes.
            label: `(B, 1, *spatial)`, class indices of any dtype.
            weight: `(B, 1, *spatial)`, finite and at least 0. It can be left out only in the
                signature, which is that of the other losses.

        Raises:
            UsageError: If there is no weight map: it has to be handed on by the trainer.
            ValueError: If the shapes do not fit, or a label value is neither a class nor
                `ignore_index`.
            DataError: If a weight is negative or not finite.
        """
        if weight is None:
            raise UsageError(
                "PixelWeightedCELoss: no weight map came with the label; give the trainer "
                "medseg.training.WeightedBatch as prepare_batch and WeightedLoss around the loss"
            )
        logits = plain_logits(logits)
        labels = class_labels(logits, label, ignore_index=self.ignore_index)
        surprise = -(logits.log_softmax(dim=1) * labels).sum(dim=1, keepdim=True)
        voxels = labels.sum()
        return (_checked(weight, label).to(logits) * surprise).sum() / voxels.clamp(min=1)


def _checked(weight: Tensor, label: Tensor) -> Tensor:
    if weight.shape != label.shape:
        raise ValueError(
            "weight and label must have the same shape, "
            f"got weight {tuple(weight.shape)} and label {tuple(label.shape)}"
        )
    weight = weight.as_subclass(Tensor)
    strange = weight[~(torch.isfinite(weight) & (weight >= 0))]
    if strange.numel():
        raise DataError(f"weights must be finite and at least 0, got {strange[0].item():g}")
    return weight
