"""Known networks: those that a header of weights may name, with their arguments.

Headers come from anywhere, so nothing is imported by name, and a network is built on torch's meta
device first, where it takes no memory.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from medseg.errors import MedsegError
from medseg.networks.monai_network import MonaiNetwork
from medseg.networks.segnet import SegNet
from medseg.networks.unet import UNet

__all__ = ["UNET", "KnownNetwork", "arguments_of", "build_network", "build_shell"]

KnownNetwork = UNet | SegNet | MonaiNetwork

UNET = "medseg.networks.UNet"
_NETWORKS: dict[str, type[KnownNetwork]] = {
    UNET: UNet,
    "medseg.networks.SegNet": SegNet,
    "medseg.networks.MonaiNetwork": MonaiNetwork,
}


def arguments_of(target: str = UNET) -> Mapping[str, inspect.Parameter]:
    """Arguments of a known network, by name."""
    return inspect.signature(_NETWORKS[target]).parameters


def build_network(
    described: Mapping[str, Any], where: str, error: type[MedsegError]
) -> KnownNetwork:
    """Build a network from what its `describe` has returned.

    Args:
        described: `_target_`, the U-Net without one, and its arguments.
        where: Where the description stands, for the error.
        error: Its class.

    Raises:
        MedsegError: Of that class, if it is no known network, or cannot be built.
    """
    arguments = dict(described)
    target = str(arguments.pop("_target_", UNET))
    if target not in _NETWORKS:
        raise error(f"{where} is {target[:60]!r}; it can only be {', '.join(_NETWORKS)}")
    unknown = sorted(arguments.keys() - arguments_of(target).keys())
    if unknown:
        raise error(f"{where} has the argument {unknown[0][:60]!r}, which {target} does not know")
    try:
        return _NETWORKS[target](**arguments)
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as cause:
        # torch's RuntimeError: a size beyond its numbers.
        reason = str(cause).partition("\n")[0]
        raise error(f"{where} cannot be built: {reason}") from cause


def build_shell(described: Mapping[str, Any], where: str, error: type[MedsegError]) -> KnownNetwork:
    """Build a network on the meta device: shapes without values, at once; see `build_network`."""
    arguments = dict(described)
    target = str(arguments.get("_target_", UNET))
    if target in _NETWORKS and "initialisation" in arguments_of(target):
        # A normal distribution on this device makes torch import its compiler (1 s).
        arguments["initialisation"] = "torch"
    with torch.device("meta"):
        return build_network(arguments, where, error)
