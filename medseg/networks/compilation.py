"""torch.compile as a choice, tried before anything else is done and not in the midst of it.

A network is compiled where it is, so that its weights keep their names, and exports, checkpoints
and prediction notice nothing.
"""

from typing import Any, Literal, cast, get_args

import torch
from torch import nn

from medseg._checks import require_choice
from medseg.errors import MachineError
from medseg.networks.weights import plain_network

__all__ = ["Compile", "compile_network"]

Compile = Literal["none", "default", "reduce-overhead", "max-autotune"]


def compile_network(network: nn.Module, mode: Compile, device: torch.device) -> None:
    """Let a network compile itself when it is first called.

    It is compiled anew for training and for validation, a minute or so each, which pays after
    some thousand steps. torch's own name for the modes is kept: `reduce-overhead` and
    `max-autotune` use CUDA graphs on a GPU, where an output lasts until the next call.

    Args:
        network: Of which `forward` is compiled; a `DistributedDataParallel` is unwrapped.
        mode: `none` does nothing.
        device: Where it will run.

    Raises:
        UsageError: If there is no such mode.
        MachineError: If compiling does not work here; a trial tells.
    """
    require_choice("compile", mode, get_args(Compile))
    if mode == "none":
        return
    _try(device)
    cast("Any", plain_network(network)).compile(mode=mode)


def _try(device: torch.device) -> None:
    trial = cast("Any", torch).compile(_least)
    try:
        trial(torch.zeros(8, device=device))
    # It fails in as many ways as there are parts: no compiler, no Triton, an old GPU.
    except Exception as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason")
        raise MachineError(
            f"torch.compile does not work on this machine ({type(error).__name__}: {reason}); "
            "install a C++ compiler (g++), on GPUs Triton, or set compile to 'none'"
        ) from error


def _least(values: torch.Tensor) -> torch.Tensor:
    return values * 2 + 1
