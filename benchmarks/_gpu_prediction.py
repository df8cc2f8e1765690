"""Whole-volume prediction of the GPU check: medseg's labels beside MONAI's inferer and an argmax.

The same network, windows, blend, batch and precision; volume on the GPU, label on the CPU. medseg
interpolates to the grid of the source, here as fine as the network's; MONAI has that still before
it. Weights are random, noise is smooth: what is labelled does not matter, that both agree does.
"""

import statistics
from collections.abc import Callable
from typing import Any

import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers import SlidingWindowInferer
from torch import Tensor, nn
from torch.nn.functional import interpolate

from benchmarks._gpu_measure import Memory, busy_ms, failure, forget, here, timed_ms
from benchmarks._gpu_rows import PREDICTION, Emit, Record, Sizes, Tool
from benchmarks._gpu_training import own_network
from medseg.inference import EngineInferer, SlidingWindowLabels

__all__ = ["measure_prediction"]

OVERLAP = 0.5
WINDOW_BATCH = 2

Predict = Callable[[], Tensor]


def measure_prediction(sizes: Sizes, emit: Emit) -> None:
    """Predict once to warm up, some times in turns, and once under the profiler."""
    network, volume = own_network(sizes).eval(), _volume(sizes.volume)
    makers: dict[Tool, Callable[[nn.Module, MetaTensor, Sizes], Predict]] = {
        "medseg": _own,
        "peer": _peer,
    }
    works: dict[Tool, Predict] = {}
    peaks: dict[Tool, float | None] = {}
    labels: dict[Tool, Tensor] = {}
    for tool, make in makers.items():
        try:
            memory = Memory()
            works[tool] = make(network, volume, sizes)
            labels[tool] = works[tool]()
            peaks[tool] = memory.peak_gb
            forget()
        except Exception as error:  # as in the training steps
            works.pop(tool, None)
            emit(Record(row=PREDICTION, tool=tool, note=failure(error)))
    note = _agreement(labels)
    times: dict[Tool, list[float]] = {tool: [] for tool in works}
    for _ in range(sizes.predictions):
        for tool, work in works.items():
            times[tool].append(timed_ms(work))
            emit(_record(tool, times[tool], peaks[tool], None, note))
    for tool, work in works.items():
        emit(_record(tool, times[tool], peaks[tool], busy_ms(work), note))


def _record(
    tool: Tool, times: list[float], gb: float | None, busy: float | None, note: str
) -> Record:
    taken = statistics.median(times)
    share = None if busy is None else busy / taken
    return Record(row=PREDICTION, tool=tool, ms=taken, gb=gb, busy=share, note=note)


def _own(network: nn.Module, volume: MetaTensor, sizes: Sizes) -> Predict:
    inferer = EngineInferer(
        SlidingWindowLabels(
            (sizes.patch,) * 3, overlap=OVERLAP, blend="gaussian", window_batch=WINDOW_BATCH
        ),
        engine="torch",
        precision="bf16",
    )
    return lambda: inferer(volume, network).as_subclass(Tensor)


def _peer(network: nn.Module, volume: MetaTensor, sizes: Sizes) -> Predict:
    inferer = SlidingWindowInferer(
        (sizes.patch,) * 3, sw_batch_size=WINDOW_BATCH, overlap=OVERLAP, mode="gaussian"
    )
    plain: Any = volume.as_subclass(Tensor)

    def call(windows: Tensor) -> Tensor:
        with torch.autocast(windows.device.type, torch.bfloat16):
            return network(windows).float()

    def predict() -> Tensor:
        with torch.inference_mode():
            logits: Any = inferer(plain, call)
            return logits.argmax(dim=1, keepdim=True).to(torch.uint8).cpu()

    return predict


def _volume(shape: tuple[int, int, int]) -> MetaTensor:
    random = torch.Generator().manual_seed(0)
    coarse = torch.randn((1, 1, *(n // 8 for n in shape)), generator=random).to(here())
    smooth = interpolate(coarse, size=shape, mode="trilinear")
    affine = torch.eye(4, dtype=torch.float64)
    meta = {"original_affine": affine.numpy(), "spatial_shape": list(shape)}
    return MetaTensor(smooth, affine=affine, meta=meta)


def _agreement(labels: dict[Tool, Tensor]) -> str:
    if len(labels) < 2:
        return ""
    own, peer = labels["medseg"], labels["peer"]
    return f"{100 * (own == peer).double().mean().item():.2f} % of the voxels have equal labels"
