"""How long a training step takes: precision, norm, memory format, and MONAI's BasicUNet.

    python -m benchmarks.precision [--repeats 7] [--device cpu]

Prints a Markdown table for RESULTS.md: median seconds of a forward and backward pass of
two patches of 96x96x32 voxels with Tversky + cross-entropy loss and one step of Adam.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import product

import torch
from monai.networks.nets import BasicUNet
from torch import nn

from medseg.losses import TverskyCELoss
from medseg.networks import UNet

PATCH = (96, 96, 32)
LAYOUTS = ("contiguous", "channels last")


def main() -> None:
    """Measure every variant and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(f"{options.device}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print("| network | precision | memory format | parameters | s a step | ratio |")
    print("|---|---|---|---|---|---|")
    first = 0.0
    for name, network, precision, layout in variants():
        seconds = median_step(network.to(options.device), precision, layout, options)
        first = first or seconds
        size = sum(parameter.numel() for parameter in network.parameters())
        row = [name, precision, layout, f"{size:,}", f"{seconds:.2f}", f"{first / seconds:.2f}"]
        print(f"| {' | '.join(row)} |")


def variants() -> Iterator[tuple[str, nn.Module, str, str]]:
    """Peer first: its time is the 1 of the ratios."""
    yield "MONAI BasicUNet 16-128", basic_unet(), "fp32", "contiguous"
    yield "MONAI BasicUNet 16-128", basic_unet(), "bf16", "contiguous"
    for precision, layout in product(("fp32", "bf16"), LAYOUTS):
        yield "UNet depth 4, width 16, instance", unet("instance"), precision, layout
    for layout in LAYOUTS:
        yield "UNet depth 4, width 16, batch", unet("batch"), "bf16", layout
    flat = unet("instance", kernel_sizes=[[3, 3, 1], 3, 3, 3])
    yield "the same, instance, 3x3x1 at full resolution", flat, "bf16", "channels last"


def unet(norm_kind: str, **more: object) -> nn.Module:
    """The network of the COVID bundle."""
    return UNet(3, 1, 3, depth=4, first_width=16, norm_kind=norm_kind, **more)


def basic_unet() -> nn.Module:
    """MONAI's nearest: max-pooling encoder, transposed convolutions, always five levels."""
    widths = (16, 32, 64, 128, 128, 16)
    return BasicUNet(3, 1, 3, features=widths, act="relu", norm="instance", upsample="deconv")


def median_step(
    network: nn.Module, precision: str, layout: str, options: argparse.Namespace
) -> float:
    """Median seconds of `options.repeats` steps after two to warm up."""
    step = make_step(network, precision, layout, options.device)
    times = [timed(step, options.device) for _ in range(2 + options.repeats)]
    return statistics.median(times[2:])


def make_step(network: nn.Module, precision: str, layout: str, device: str) -> Callable[[], None]:
    """A training step on fixed random patches."""
    image = torch.rand(2, 1, *PATCH, device=device)
    label = torch.randint(0, 3, (2, 1, *PATCH), device=device)
    if layout == "channels last":
        network = network.to(memory_format=torch.channels_last_3d)
        image = image.to(memory_format=torch.channels_last_3d)
    loss, optimizer = TverskyCELoss(), torch.optim.Adam(network.parameters())

    def step() -> None:
        fast = precision == "bf16"
        with torch.autocast(device, torch.bfloat16) if fast else nullcontext():
            logits = network(image)
        loss(logits.float(), label).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def timed(step: Callable[[], None], device: str) -> float:
    """Wall seconds of one step, the device's queue included."""
    start = time.perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
