"""Ablation: weights of chosen convolutions set to zero, by one of several criteria.

The network keeps its shape, so nothing becomes faster: it is asked what these weights are worth.
Structured methods zero whole filters; their biases and norms stay, so that such a channel is
constant, not gone.

References:
    Fraello, Semantic segmentation of EBHI-Seg dataset: ablation studies on UNet architecture, 2023.
    Paganini and Forde, Streamlining tensor and network pruning in PyTorch, 2020.
    https://arxiv.org/abs/2004.13770
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from medseg.networks.unet import UNet
from medseg.studies.pruning.methods import Method

__all__ = ["Ablation", "Sparsity", "ablated"]

_WEIGHT = "weight"


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """What is set to zero.

    Attributes:
        method: By which criterion.
        selection: Name of the selection.
        modules: Its convolutions.
        amount: Share of each, or of all together, in (0, 1).
    """

    method: Method
    selection: str
    modules: tuple[str, ...]
    amount: float


@dataclass(frozen=True, kw_only=True)
class Sparsity:
    """Zeros in the weights of one convolution."""

    module: str
    zeros: int
    elements: int

    @property
    def share(self) -> float:
        """Zeros among all weights, in [0, 1]."""
        return self.zeros / self.elements


def ablated(
    network: UNet, ablation: Ablation, saliency: Mapping[str, Tensor], *, seed: int
) -> tuple[UNet, list[Sparsity]]:
    """A copy of a network with weights set to zero, and how many of each convolution are zero.

    Args:
        network: Is not changed.
        ablation: What is set to zero.
        saliency: |w dL/dw| by convolution, in the shape of its weights; for the gradient method.
        seed: Of random methods.
    """
    # Torch's pruning takes no weights in channels last.
    own = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    modules = [own.get_submodule(name) for name in ablation.modules]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if ablation.method == "global_unstructured":
            _prune_together(modules, ablation.amount)
        else:
            for name, module in zip(ablation.modules, modules, strict=True):
                _prune(module, ablation.method, ablation.amount, saliency.get(name))
    for module in modules:
        prune.remove(module, _WEIGHT)
    return own, [
        _sparsity(name, module) for name, module in zip(ablation.modules, modules, strict=True)
    ]


def _prune_together(modules: Sequence[nn.Module], amount: float) -> None:
    places = [(module, _WEIGHT) for module in modules]
    cast("Any", prune).global_unstructured(
        places, pruning_method=prune.L1Unstructured, amount=amount
    )


def _prune(module: nn.Module, method: Method, amount: float, saliency: Tensor | None) -> None:
    # Filters lie along the second axis of a transposed convolution's weights.
    axis = int(isinstance(module, nn.ConvTranspose2d | nn.ConvTranspose3d))
    torch_prune = cast("Any", prune)
    if method == "l1_unstructured":
        torch_prune.l1_unstructured(module, _WEIGHT, amount)
    elif method == "random_unstructured":
        torch_prune.random_unstructured(module, _WEIGHT, amount)
    elif method == "gradient_unstructured":
        torch_prune.l1_unstructured(module, _WEIGHT, amount, importance_scores=saliency)
    elif method == "random_structured":
        torch_prune.random_structured(module, _WEIGHT, amount, dim=axis)
    else:
        norm = 1 if method == "l1_structured" else 2
        torch_prune.ln_structured(module, _WEIGHT, amount, n=norm, dim=axis)


def _sparsity(name: str, module: nn.Module) -> Sparsity:
    weight = module.get_parameter(_WEIGHT)
    return Sparsity(module=name, zeros=int((weight == 0).sum()), elements=weight.numel())
