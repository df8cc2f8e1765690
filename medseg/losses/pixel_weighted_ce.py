"""Pixel-weighted cross-entropy loss, for weight maps such as `BorderWeightd`'s.

With that map, the thin gaps between cells count as much as whole cells, and a network learns to
keep them open.

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
    """Mean over voxels of weight times cross-entropy; plain cross-entropy if all weights are 1.

    The paper's energy is the sum; here it is divided by the number of voxels that are not ignored,
    not by the sum of their weights, so that a patch with many gaps costs more than one without. If
    all voxels are ignored, the loss is 0, with a gradient of zeros.

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
            weight: `(B, 1, *spatial)`, finite and at least 0. Required; it has a default only so
                that the signature matches that of the other losses.

        Raises:
            UsageError: If there is no weight map: the trainer has to pass it on.
            ValueError: If the shapes do not fit, or a label value is neither a class nor
                `ignore_index`.
            DataError: If a weight is negative or not finite.
        """
        if weight is None:
            raise UsageError(
                "PixelWeightedCELoss: got no weight map; use medseg.training.WeightedBatch as the "
                "trainer's prepare_batch, and wrap the loss in medseg.training.WeightedLoss"
            )
        logits = plain_logits(logits)
        labels = class_labels(logits, label, ignore_index=self.ignore_index)
        cross_entropy = -(logits.log_softmax(dim=1) * labels).sum(dim=1, keepdim=True)
        voxels = labels.sum()
        return (_checked(weight, label).to(logits) * cross_entropy).sum() / voxels.clamp(min=1)


def _checked(weight: Tensor, label: Tensor) -> Tensor:
    if weight.shape != label.shape:
        raise ValueError(
            "weight and label must have the same shape, "
            f"got weight {tuple(weight.shape)} and label {tuple(label.shape)}"
        )
    weight = weight.as_subclass(Tensor)
    invalid = weight[~(torch.isfinite(weight) & (weight >= 0))]
    if invalid.numel():
        raise DataError(f"weights must be finite and at least 0, got {invalid[0].item():g}")
    return weight
