"""Initial weights of a training from another one: fine-tuning, layer by layer.

A layer is taken if all its tensors are there by name and shape, else it keeps its initialisation.
So the first convolution starts anew where the images have other channels, and the head where the
classes are others.

Reference:
    Yosinski et al., How transferable are features in deep neural networks?, NIPS 2014.
    https://arxiv.org/abs/1411.1792
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from medseg.errors import UsageError
from medseg.networks.provenance import StartedFrom, read_provenance
from medseg.networks.weights import plain_network, read_state

__all__ = ["Initialised", "Matched", "init_weights", "match_layers"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Tensors of one state that fit another.

    Attributes:
        taken: By name.
        left_out: The layers of the network that are not among them, with the reason.
    """

    taken: Mapping[str, Tensor]
    left_out: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Initialised:
    """What became of a network that was given other weights.

    Attributes:
        started_from: Whose weights they are, for the header of the new ones.
        left_out: Names of the layers that did not fit.
    """

    started_from: StartedFrom
    left_out: frozenset[str]


def init_weights(network: nn.Module, source: str | Path) -> Initialised:
    """Give a network the weights of another training where they fit, and log the rest.

    Args:
        network: Changed in place; a `DistributedDataParallel` is unwrapped.
        source: A bundle's folder, for the weights in its `models`, or a `.safetensors` file.
            Nothing else is read, and no pickle.

    Raises:
        UsageError: If no convolution fits.
        DataError: If the file is missing, broken or damaged.
    """
    path = Path(source)
    path = path / "models" / "model.safetensors" if path.is_dir() else path
    state, _ = read_state(path)
    provenance = read_provenance(path)
    plain = plain_network(network)
    own = plain.state_dict()
    matched = match_layers(own, state)
    if not any(tensor.dim() > 2 for tensor in matched.taken.values()):
        reasons = "; ".join(f"{layer}: {why}" for layer, why in list(matched.left_out.items())[:2])
        raise UsageError(
            f"init_weights: {path}: no convolution of it fits this network ({reasons}); take "
            "weights of a network of as many axes and the same width (network_def)"
        )
    with torch.no_grad():
        for name, tensor in matched.taken.items():
            own[name].copy_(tensor)
    left = ", ".join(f"{layer} ({why})" for layer, why in matched.left_out.items()) or "nothing"
    logger.info(
        "init_weights: %d of %d tensors from %s, sha256 %.12s; left as initialised: %s",
        *(len(matched.taken), len(own), provenance.bundle or path, provenance.tensors_sha256, left),
    )
    started_from = StartedFrom(
        bundle=provenance.bundle,
        version=provenance.version,
        data=provenance.data,
        tensors_sha256=provenance.tensors_sha256,
    )
    return Initialised(started_from=started_from, left_out=frozenset(matched.left_out))


def match_layers(own: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> Matched:
    """The tensors of `other` that can replace those of `own`, layer by layer.

    Args:
        own: State of the network that is to be trained.
        other: State of the trained one.
    """
    left_out: dict[str, str] = {}
    for name, tensor in own.items():
        layer = name.rpartition(".")[0]
        if name not in other:
            left_out.setdefault(layer, "not there")
        elif other[name].shape != tensor.shape:
            there, here = tuple(other[name].shape), tuple(tensor.shape)
            left_out.setdefault(layer, f"{there} there, {here} here")
    taken = {name: other[name] for name in own if name.rpartition(".")[0] not in left_out}
    return Matched(taken=taken, left_out=left_out)
