"""Movement of weights in training: how far each convolution is from its initial weights.

Initial weights are seldom kept. They can be rebuilt from the seed of the config if it is that of
the training, which shows: trained weights resemble those that they came from, and no others.
"""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any, cast

import torch
from torch import Tensor

from medseg._quiet import quiet_libraries
from medseg.bundles.complaints import config_errors
from medseg.bundles.run import open_workflow
from medseg.networks.unet import UNet
from medseg.networks.weights import read_state
from medseg.studies.pruning.subject import Subject
from medseg.studies.pruning.wiring import wiring

__all__ = ["gradient_norms", "initial_state", "saliency", "weight_distances"]

# Cosine of the angle between trained and initial weights, over all convolutions; that of unrelated
# ones is within a thousandth of 0, as there are some million.
_LEAST_RESEMBLANCE = 0.05


def initial_state(subject: Subject, path: Path | None) -> dict[str, Tensor] | None:
    """Initial weights of the subject's network; None if they are not known.

    Args:
        subject: Its config's seed may be that of its training.
        path: File of the initial weights; None rebuilds them from the seed.
    """
    if path is not None:
        return read_state(path)[0]
    with config_errors(), quiet_libraries():
        workflow: Any = open_workflow(
            subject.bundle,
            configs=["train"],
            run_id="training",
            overrides=subject.training,
            log="quiet",
        )
        workflow.initialize()
        rebuilt = cast("UNet", workflow.parser.get_parsed_content("network")).state_dict()
    return dict(rebuilt) if resemblance(subject.network, rebuilt) > _LEAST_RESEMBLANCE else None


def resemblance(network: UNet, initial: Mapping[str, Tensor]) -> float:
    """Cosine of the angle between a network's weights and its initial ones, in [-1, 1]."""
    names = [f"{one.name}.weight" for one in wiring(network)]
    trained, before = (
        torch.cat([state[name].detach().flatten() for name in names])
        for state in (network.state_dict(), initial)
    )
    return float(torch.nn.functional.cosine_similarity(trained, before, dim=0))


def weight_distances(network: UNet, initial: Mapping[str, Tensor]) -> dict[str, float]:
    """L2 norm of the difference of the weights after and before training, by convolution."""
    return {
        one.name: _l2(
            network.get_submodule(one.name).get_parameter("weight").detach()
            - initial[f"{one.name}.weight"]
        )
        for one in wiring(network)
    }


def gradient_norms(network: UNet, gradients: list[dict[str, Tensor]]) -> dict[str, float]:
    """Mean over batches of the L2 norm of the gradient, by convolution."""
    return {
        one.name: mean(_l2(batch[f"{one.name}.weight"]) for batch in gradients)
        for one in wiring(network)
    }


def saliency(network: UNet, gradients: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Mean over batches of |w dL/dw|, by convolution, in the shape of its weights."""
    found: dict[str, Tensor] = {}
    for one in wiring(network):
        weight = network.get_submodule(one.name).get_parameter("weight").detach()
        products = [(weight * batch[f"{one.name}.weight"]).abs() for batch in gradients]
        found[one.name] = torch.stack(products).mean(dim=0).contiguous()
    return found


def _l2(tensor: Tensor) -> float:
    return float(tensor.square().sum().sqrt())
