"""Distributed training: several processes, one per GPU, started by `torchrun`.

On CPUs they use gloo instead of NCCL. Each process draws patches of its own and validates all
cases; all make the same steps, and the first one writes (docs/decisions/0019).
"""

import logging
import os

import torch
import torch.distributed as dist
from monai.utils.misc import set_determinism
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from medseg.errors import UsageError

__all__ = ["distributed_network", "join_processes", "leave_processes", "process_device"]


def process_device() -> torch.device:
    """The GPU of this process, or the CPU where there is none.

    Raises:
        UsageError: If the process was not started by torchrun.
    """
    if "LOCAL_RANK" not in os.environ:
        raise UsageError(
            "multi_gpu_train.yaml is for several processes; start it with "
            "torchrun --standalone --nproc_per_node=2 -m monai.bundle run training ..."
        )
    cuda = torch.cuda.is_available()
    return torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu")


def join_processes(device: torch.device | str, *, seed: int) -> None:
    """Join the process group and seed this process; only the first logs more than warnings.

    Args:
        device: Device of this process.
        seed: Seed of the training; each process adds its rank.
    """
    device = torch.device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if dist.get_rank() > 0:
        logging.disable(logging.INFO)
    set_determinism(seed=seed + dist.get_rank())


def distributed_network(network: nn.Module) -> DistributedDataParallel:
    """Wrap a network, already on its device, to average its gradients over all processes."""
    device = next(network.parameters()).device
    return DistributedDataParallel(network, device_ids=[device] if device.type == "cuda" else None)


def leave_processes() -> None:
    """Leave the process group, at the end of a training."""
    dist.destroy_process_group()
