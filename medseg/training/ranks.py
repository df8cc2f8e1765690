"""What several processes of one training have to agree on.

A process that stops while another goes on leaves that one waiting for ever. Where a stop depends
on a clock, a signal or a score, one process's word is taken, or any one's.
"""

from typing import Any, cast

import torch
import torch.distributed as dist

__all__ = ["any_rank", "of_first_rank", "rank", "wait_for_all", "world_size"]


def rank() -> int:
    """Which process this is; 0 where there is but one."""
    return dist.get_rank() if _several() else 0


def world_size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if _several() else 1


def of_first_rank(values: list[float]) -> list[float]:
    """The first process's numbers, in all of them; each has to call this."""
    if not _several() or not values:
        return values
    numbers = torch.tensor(values, dtype=torch.float64, device=_device())
    dist.broadcast(numbers, src=0)
    return cast("list[float]", cast("Any", numbers).tolist())


def any_rank(flag: bool) -> bool:  # noqa: FBT001 - the value itself
    """Whether it is true in any process; each has to call this."""
    if not _several():
        return flag
    count = torch.tensor([int(flag)], device=_device())
    cast("Any", dist).all_reduce(count, op=dist.ReduceOp.MAX)
    return bool(count.item())


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if _several():
        cast("Any", dist).barrier()


def _several() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _device() -> torch.device:
    # NCCL knows GPUs only.
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
