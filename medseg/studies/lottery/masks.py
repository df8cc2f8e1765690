"""Masks of a pruned network: by magnitude over all layers, and at random in each.

Reference:
    Frankle and Carbin, The lottery ticket hypothesis, ICLR 2019. https://arxiv.org/abs/1803.03635
"""

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["Mask", "magnitude_mask", "masked", "random_mask"]

# By name of the kernel, of its shape: whether a weight is kept. Other tensors are kept whole.
Mask = Mapping[str, Tensor]


def magnitude_mask(state: Mapping[str, Tensor], sparsity: float) -> Mask:
    """Keep the weights of largest magnitude, over all kernels together.

    Weights that are zero already go first, so that a mask of a pruned network lies within its own.

    Args:
        state: The trained tensors by name; kernels are those of two and more axes.
        sparsity: Share of the kernels' weights that goes, in [0, 1); rounded to a number of
            weights. Of equal magnitudes those go first that come first.
    """
    kernels = {name: tensor for name, tensor in state.items() if tensor.dim() > 1}
    magnitudes = torch.cat([kernel.float().abs().flatten() for kernel in kernels.values()])
    kept = torch.ones(len(magnitudes), dtype=torch.bool)
    kept[magnitudes.argsort(stable=True)[: round(sparsity * len(magnitudes))]] = False
    parts = torch.split(kept, [kernel.numel() for kernel in kernels.values()])
    return {
        name: part.reshape(kernel.shape)
        for (name, kernel), part in zip(kernels.items(), parts, strict=True)
    }


def random_mask(mask: Mask, generator: torch.Generator) -> Mask:
    """Keep as many weights of each kernel as a mask does, but others, drawn at random."""
    return {
        name: kept.flatten()[torch.randperm(kept.numel(), generator=generator)].reshape(kept.shape)
        for name, kept in mask.items()
    }


def masked(state: Mapping[str, Tensor], mask: Mask) -> dict[str, Tensor]:
    """The tensors with zeros where the mask keeps nothing; those without a mask as they are."""
    return {
        name: tensor * mask[name].to(tensor.dtype) if name in mask else tensor
        for name, tensor in state.items()
    }
