"""torch.compile as an option, with a trial compilation before training starts.

The network is compiled in place, so that its weights keep their names, and exports, checkpoints
and prediction are not affected. A machine without a compiler is found out at once, not in the
midst of a training.
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
    """Set a network up to be compiled on its first call.

    It is compiled once for training and once for validation, about a minute each, which pays off
    after some thousand steps. The modes are torch's: `reduce-overhead` and `max-autotune` use
    CUDA graphs on a GPU, where an output is overwritten by the next call.

    Args:
        network: Its `forward` is compiled; a `DistributedDataParallel` is unwrapped.
        mode: `none` does nothing.
        device: Where it will run.

    Raises:
        UsageError: If there is no such mode.
        MachineError: If a trial compilation fails.
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
    # Many exception types are possible: no compiler, no Triton, an old GPU.
    except Exception as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason")
        raise MachineError(
            f"torch.compile does not work on this machine ({type(error).__name__}: {reason}); "
            "install a C++ compiler (g++), on GPUs Triton, or set compile to 'none'"
        ) from error


def _least(values: torch.Tensor) -> torch.Tensor:
    return values * 2 + 1
