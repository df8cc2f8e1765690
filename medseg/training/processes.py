"""Several processes of one training, one a GPU, as `torchrun` starts them.

With gloo on CPUs it is the same. All processes draw patches of their own, validate all cases and
step alike; the first one writes (docs/decisions/0019).
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
            "multi_gpu_train.yaml is for several processes; start it by "
            "torchrun --standalone --nproc_per_node=2 -m monai.bundle run training ..."
        )
    cuda = torch.cuda.is_available()
    return torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu")


def join_processes(device: torch.device, *, seed: int) -> None:
    """Connect this process with the others and seed it; only the first logs more than warnings.

    Args:
        device: Of this process.
        seed: Of the training; each process adds its rank.
    """
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if dist.get_rank() > 0:
        logging.disable(logging.INFO)
    set_determinism(seed=seed + dist.get_rank())


def distributed_network(network: nn.Module) -> DistributedDataParallel:
    """A network whose gradients are averaged over all processes; it is on its device already."""
    device = next(network.parameters()).device
    return DistributedDataParallel(network, device_ids=[device] if device.type == "cuda" else None)


def leave_processes() -> None:
    """Take leave of the other processes at the end."""
    dist.destroy_process_group()
