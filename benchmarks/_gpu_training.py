"""Training steps of the GPU check: medseg's U-Net and loss beside nnU-Net's way in plain torch.

Two patches a step, already on the device, the same for both; Dice + cross-entropy, optimiser,
clipping and loss scaling are too. medseg pools where nnU-Net's convolutions are strided, and ReLU
stands beside leaky ReLU; parameters are as many, 31,194,116 at full size, and so are operations,
5.72 TFLOP a step.
"""

import statistics
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch
from monai.inferers import SimpleInferer
from torch import Tensor, nn

from benchmarks._gpu_measure import Memory, failure, forget, here, timed_ms
from benchmarks._gpu_peer import PlainUNet, dice_ce, nesterov
from benchmarks._gpu_rows import Emit, Precision, Record, Sizes, Step, Tool
from medseg.inference import AutocastInferer
from medseg.losses import TverskyCELoss
from medseg.networks import UNet, compile_network

__all__ = ["CLASSES", "measure_steps", "own_network"]

CLASSES = 4
WARM_UP = 3
# nnU-Net's, of the gradient's length.
CEILING = 12.0
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}

Call = Callable[[Tensor, nn.Module], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def measure_steps(ways: tuple[Step, ...], sizes: Sizes, emit: Emit) -> None:
    """Time every way to train, one after the other; one that fails does not cost the others."""
    for way in ways:
        if way.precision == "fp16" and here().type == "cpu":
            emit(Record(row=way.row, note="skipped: a CPU does not support fp16"))
            continue
        with _searching(way):
            _measure(way, sizes, emit)
        forget()


def own_network(sizes: Sizes) -> nn.Module:
    """Medseg's U-Net."""
    torch.manual_seed(0)
    return UNet(3, 1, CLASSES, depth=sizes.depth, first_width=sizes.width, max_width=sizes.most).to(
        here()
    )


def _measure(way: Step, sizes: Sizes, emit: Emit) -> None:
    works: dict[Tool, Callable[[], object]] = {}
    peaks: dict[Tool, float | None] = {}
    makers: dict[Tool, Callable[[Step, Sizes], Callable[[], object]]] = {
        "medseg": _own,
        "peer": _peer,
    }
    for tool, make in makers.items():
        forget()
        try:
            memory = Memory()
            work = make(way, sizes)
            for _ in range(WARM_UP):
                work()
            memory.restart()
            work()
            peaks[tool], works[tool] = memory.peak_gb, work
        # Out of memory, no compiler, no Triton, a kernel that is missing: all are an answer.
        except Exception as error:
            emit(Record(row=way.row, tool=tool, note=failure(error)))
    turns = [[timed_ms(work) for work in works.values()] for _ in range(sizes.steps)]
    for tool, times in zip(works, zip(*turns, strict=True), strict=True):
        emit(Record(row=way.row, tool=tool, ms=statistics.median(times), gb=peaks[tool]))


def _own(way: Step, sizes: Sizes) -> Callable[[], object]:
    network = own_network(sizes)
    if way.compiled == "compiled":
        compile_network(network, "default", here())
    call = AutocastInferer(SimpleInferer(), precision=way.precision)
    return _stepper(network, call, TverskyCELoss(0.5, 0.5, classes="foreground"), way, sizes)


def _peer(way: Step, sizes: Sizes) -> Callable[[], object]:
    torch.manual_seed(0)
    widths = [min(sizes.width * 2**level, sizes.most) for level in range(sizes.depth)]
    network: Any = PlainUNet(widths, CLASSES).to(here())
    if way.compiled == "compiled":
        network.compile()
    return _stepper(network, _autocast(way.precision), dice_ce, way, sizes)


def _autocast(precision: Precision) -> Call:
    def call(image: Tensor, network: nn.Module) -> Tensor:
        with torch.autocast(here().type, HALF.get(precision), enabled=precision in HALF):
            return network(image).float()

    return call


def _stepper(
    network: nn.Module, call: Call, loss: Loss, way: Step, sizes: Sizes
) -> Callable[[], object]:
    device = here()
    random = torch.Generator().manual_seed(0)
    shape = (2, 1, sizes.patch, sizes.patch, sizes.patch)
    image = torch.randn(shape, generator=random).to(device)
    label = torch.randint(0, CLASSES, shape, generator=random).to(device, torch.uint8)
    optimizer = nesterov(network)
    scaler = torch.amp.GradScaler(device.type, enabled=way.precision == "fp16")

    def step() -> None:
        optimizer.zero_grad()
        scaler.scale(loss(call(image, network), label)).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(network.parameters(), CEILING)
        scaler.step(optimizer)
        scaler.update()

    return step


@contextmanager
def _searching(way: Step) -> Any:
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = way.search == "tried"
    if way.compiled == "compiled":
        torch.compiler.reset()
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
