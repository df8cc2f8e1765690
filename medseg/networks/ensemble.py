"""Ensemble: several networks as one, whose probabilities are the mean of theirs.

It returns logits as each of them does, so that windows, engines, skipping and streaming of labels
stay as they are. They are those of the mean: its logarithm for classes that exclude each other,
`log(p / (1 - p))` for classes that do not.

Reference:
    Lakshminarayanan et al., Simple and scalable predictive uncertainty estimation using deep
    ensembles, NeurIPS 2017. https://arxiv.org/abs/1612.01474
"""

from collections.abc import Sequence
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn

from medseg._checks import require_choice
from medseg.errors import UsageError

__all__ = ["Activation", "Ensemble"]

Activation = Literal["softmax", "sigmoid"]

# Below any probability that decides a label; the logarithm of 0 would be infinite.
_LEAST = 1e-30
# Nearest to 1 that float32 can be, so that the odds are finite.
_MOST = 1 - 2**-24


class Ensemble(nn.Module):
    """Mean of several networks' probabilities, as logits.

    The members run one after the other, so their activations are never in memory together.

    Args:
        members: Networks for the same images and classes.
        activation: `softmax` for classes that exclude each other, `sigmoid` for those that may
            overlap.

    Raises:
        UsageError: If there is no member, or for another word.
    """

    def __init__(self, members: Sequence[nn.Module], activation: Activation = "softmax") -> None:
        super().__init__()
        if not members:
            raise UsageError("Ensemble: members must be at least one network, got none")
        require_choice("Ensemble: activation", activation, get_args(Activation))
        self.members = nn.ModuleList(members)
        self.activation: Activation = activation

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the mean probability.

        Args:
            images: `(B, C, *spatial)`.

        Returns:
            `(B, K, *spatial)`, float32.
        """
        total: Tensor | None = None
        for member in self.members:
            logits = cast("Tensor", member(images)).float()
            shares = logits.softmax(dim=1) if self.activation == "softmax" else logits.sigmoid()
            total = shares if total is None else total + shares
        mean = cast("Tensor", total) / len(self.members)
        if self.activation == "softmax":
            return torch.log(mean.clamp_min(_LEAST))
        mean = mean.clamp(_LEAST, _MOST)
        return torch.log(mean) - torch.log1p(-mean)

    def extra_repr(self) -> str:
        """For `repr`, which is part of the key of a converted network."""
        return f"activation={self.activation}"
