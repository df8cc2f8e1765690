"""Device and memory format of a network, and which of its norms undo channels last.

oneDNN's convolutions work in channels last. A norm that converts its features to torch's own layout
and back costs more than they gain.
"""

from typing import Any, Literal, cast, get_args

import torch
from torch import nn

from medseg.errors import MachineError, UsageError
from medseg.networks.cpu.instance_norm import InstanceNorm

__all__ = [
    "MemoryFormat",
    "default_device",
    "place_network",
    "require_device",
    "turns_channels_last",
]

MemoryFormat = Literal[
    "auto", "contiguous", "channels_last", "contiguous_format", "channels_last_3d"
]

_LAST: dict[int, torch.memory_format] = {2: torch.channels_last, 3: torch.channels_last_3d}


def default_device() -> torch.device:
    """The first GPU, or the CPU if there is none."""
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def require_device(device: torch.device | str) -> torch.device:
    """Return a device by its name, if this machine has it.

    Args:
        device: As torch names it: `cpu`, `cuda`, `cuda:1`.

    Raises:
        UsageError: If torch knows no such device.
        MachineError: If the machine has none, or torch was built without support for it.
    """
    try:
        known = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UsageError(
            f"device must be cpu, cuda, or cuda:1 of several GPUs, got {device!r}"
        ) from error
    if known.type == "cpu" and not known.index:
        return known
    try:
        torch.empty(0, device=known)
    # torch raises an error of another kind for each device that it was built without.
    except (AssertionError, RuntimeError, ImportError, NotImplementedError) as error:
        raise MachineError(
            f"device {device}: not on this machine, or this torch does not support it; leave "
            "device out, or use device=cpu"
        ) from error
    if known.type == "meta":
        raise UsageError("device meta computes nothing; use device=cpu")
    return known


def place_network(
    network: nn.Module, device: torch.device | str, memory_format: MemoryFormat = "auto"
) -> nn.Module:
    """Move a network to a device, its weights in a memory format that its features then take.

    Args:
        network: In 2-D or 3-D; moved in place.
        device: Device of the computation.
        memory_format: `contiguous`; `channels_last`, in as many axes as the network has; or
            `auto`: channels last on a CPU, and on a GPU in 2-D, but for norms to which that is
            slower (see `turns_channels_last`). torch's own names, `contiguous_format` and
            `channels_last_3d`, are known too.

    Returns:
        The network itself.

    Raises:
        UsageError: For another word, or `channels_last_3d` of a 2-D network.
        MachineError: If the machine has no such device.
    """
    device = require_device(device)
    layout = _layout(network, device, memory_format)
    return cast("Any", network).to(device, memory_format=layout)


def turns_channels_last(network: nn.Module, device: torch.device) -> bool:
    """Whether a norm of a network copies features to torch's layout and back: group, instance.

    `medseg.networks.InstanceNorm` does not, on a CPU.
    """
    turning: list[type[nn.Module]] = [nn.InstanceNorm2d, nn.InstanceNorm3d, nn.GroupNorm]
    if device.type != "cpu":
        turning.append(InstanceNorm)
    return any(isinstance(part, tuple(turning)) for part in network.modules())


def _layout(network: nn.Module, device: torch.device, word: str) -> torch.memory_format:
    axes = 3 if any(isinstance(part, nn.Conv3d) for part in network.modules()) else 2
    if word not in get_args(MemoryFormat):
        raise UsageError(
            f"memory_format must be 'auto', 'contiguous' or 'channels_last', got {word!r}"
        )
    if word == "channels_last_3d" and axes == 2:
        raise UsageError("memory_format 'channels_last_3d' is for 3-D; take 'channels_last'")
    if word == "auto":
        # Channels last in 3-D on a GPU has not been measured.
        suits = device.type == "cpu" or axes == 2
        word = (
            "channels_last" if suits and not turns_channels_last(network, device) else "contiguous"
        )
    return _LAST[axes] if word.startswith("channels_last") else torch.contiguous_format
