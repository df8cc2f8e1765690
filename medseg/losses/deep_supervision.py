"""Deep supervision: a loss at full resolution and at coarser levels of the decoder.

The gradient reaches the deep levels by a short way, so that they learn what to look for before the
fine ones have learnt anything. Only training pays for it: in validation and prediction a network
gives its logits alone.

References:
    Lee et al., Deeply-supervised nets, AISTATS 2015. https://arxiv.org/abs/1409.5185
    Isensee et al., nnU-Net, Nature Methods 2021 (the weights). https://doi.org/10.1038/s41592-020-01008-z
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from medseg.errors import UsageError

__all__ = ["DeepSupervision"]


class DeepSupervision(nn.Module):
    """Weighted mean of a loss over levels: 1, 1/2, 1/4 and so on, normalised to a sum of 1.

    The label is brought to a coarser level by its nearest voxel. Of a single tensor of logits the
    loss is that of the inner loss.

    Args:
        loss: Takes logits and label.

    Raises:
        UsageError: If it is no loss.
    """

    def __init__(self, loss: Callable[[Tensor, Any], Tensor]) -> None:
        super().__init__()
        if not callable(loss):
            raise UsageError(f"DeepSupervision: loss must be a loss, got {loss!r}")
        self.loss = loss

    def forward(self, logits: Tensor | Sequence[Tensor], label: Any) -> Tensor:
        """Return the scalar loss.

        Args:
            logits: `(B, C, *spatial)`; or a list of these, full resolution first.
            label: `(B, 1, *spatial)` of the full resolution; or a named tuple of such, of label
                and weight map.
        """
        if isinstance(logits, Tensor):
            return self.loss(logits, label)
        weights = [2.0**-level for level in range(len(logits))]
        losses = [self.loss(each, _brought_to(label, each.shape[2:])) for each in logits]
        weighted = [weight * loss for weight, loss in zip(weights, losses, strict=True)]
        return torch.stack(weighted).sum() / sum(weights)


def _brought_to(label: Any, size: Sequence[int]) -> Any:
    if not isinstance(label, Tensor):
        return label._make(_brought_to(part, size) for part in label)
    for axis, length in enumerate(size, start=2):
        before = label.shape[axis]
        if length != before:
            # The voxel at the centre of each coarser one; any integer dtype, unlike interpolation.
            places = (torch.arange(length, device=label.device) * 2 + 1) * before // (2 * length)
            label = label.index_select(axis, places)
    return label
