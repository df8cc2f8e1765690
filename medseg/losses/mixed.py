"""Mixed loss: a weighted sum of losses, such as 0.7 Dice + 0.3 Jaccard.

The weights are set in the config, next to the losses. MONAI's losses can be terms too.
"""

import inspect
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medseg._checks import require_weights
from medseg.errors import UsageError
from medseg.losses.inputs import plain_logits

__all__ = ["MixedLoss"]


class MixedLoss(nn.Module):
    """Σ weights[i] losses[i](logits, label).

    A weight map is passed to the losses whose `forward` has an argument `weight`, such as
    `PixelWeightedCELoss`, and not to the others. A loss of weight 0 is not computed.

    Args:
        losses: At least one; each returns a scalar for logits and label.
        weights: One per loss, at least 0, not all 0. They need not sum to 1.

    Raises:
        UsageError: If an argument is not as described.
    """

    def __init__(self, losses: Sequence[nn.Module], weights: Sequence[float]) -> None:
        super().__init__()
        for i, loss in enumerate(losses):
            if not isinstance(loss, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance] - a config's may be anything
                raise UsageError(f"MixedLoss: losses[{i}] must be a torch module, got {loss!r}")
        if len(weights) != len(losses):
            raise UsageError(
                f"MixedLoss: weights must be one for each of {len(losses)} losses, "
                f"got {list(weights)}"
            )
        require_weights("MixedLoss: weights", weights)
        self.losses = nn.ModuleList(losses)
        self.weights = tuple(weights)

    def forward(self, logits: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the scalar loss, in float32 also for half precision.

        Args:
            logits: `(B, C, *spatial)`.
            label: What the losses take: `(B, 1, *spatial)` of class indices, or
                `(B, C, *spatial)` of 0 and 1.
            weight: `(B, 1, *spatial)`, the weight map, or None.

        Raises:
            UsageError: If there is a weight map and no loss takes it.
            ValueError: If one of the losses refuses its arguments.
        """
        if weight is not None and not _takes_weight(self):
            names = ", ".join(type(loss).__name__ for loss in self.losses)
            raise UsageError(f"MixedLoss: none of {names} takes a weight map; remove the map")
        logits, label = plain_logits(logits), label.as_subclass(Tensor)
        parts = [
            factor * _apply(loss, logits, label, weight)
            for factor, loss in zip(self.weights, self.losses, strict=True)
            if factor > 0
        ]
        return torch.stack(parts).sum()


def _apply(loss: nn.Module, logits: Tensor, label: Tensor, weight: Tensor | None) -> Tensor:
    takes = weight is not None and _takes_weight(loss)
    return loss(logits, label, weight=weight) if takes else loss(logits, label)


def _takes_weight(loss: nn.Module) -> bool:
    if isinstance(loss, MixedLoss):
        return any(_takes_weight(part) for part in loss.losses)
    return "weight" in inspect.signature(loss.forward).parameters
