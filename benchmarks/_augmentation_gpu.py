"""Samples a second of warps on a GPU: medseg's batched form, MONAI's transforms one by one."""

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks._augmentation_monai import monai_warp
from benchmarks._augmentation_setting import KEYS, Setting, make_case
from benchmarks._augmentation_tools import warp_ranges
from medseg.transforms import RandWarpBatchd

__all__ = ["samples_per_second"]

BATCH = 8
ROUNDS = 20


def samples_per_second(
    setting: Setting, device: str, *, elements: int = BATCH, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Medians of medseg and of MONAI, in turns; patches lie on the device before and after.

    MONAI has no batched form: its `RandAffined`, `Rand2DElasticd` or `Rand3DElasticd` (with the
    affine map in it, one resampling) is called for each element.
    """
    case = make_case(setting.patch)
    image = torch.from_numpy(case.image).to(device)
    label = torch.from_numpy(case.label).to(device)
    batch = {key: torch.stack([t] * elements) for key, t in zip(KEYS, (image, label), strict=True)}
    spacing_mm = [1.0] * len(setting.patch)
    modes = ("linear", "nearest")
    own = RandWarpBatchd(KEYS, spacing_mm, modes, warp=warp_ranges(setting)).set_random_state(0)
    peer = monai_warp(setting, device=torch.device(device)).set_random_state(0)
    element = {"image": image, "label": label}
    tools = (lambda: own(batch), lambda: [peer(element) for _ in range(elements)])
    times = [[timed(tool, device) for tool in tools] for _ in range(3 + rounds)][3:]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    return elements / medians[0], elements / medians[1]


def timed(tool: Callable[[], object], device: str) -> float:
    """Seconds on the clock, the device's queue included."""
    start = time.perf_counter()
    tool()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
