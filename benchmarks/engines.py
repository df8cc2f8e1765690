"""Seconds a window: torch and OpenVINO, precisions, memory formats, norms, requests at a time.

    python -m benchmarks.engines [--widths 16 32] [--norms instance batch] [--threads 2]

Prints a Markdown table for RESULTS.md: per window of 96x96x96 voxels, medians of wall time and of
CPU time, the latter for machines that others use as well. All take turns, so that noise meets
each alike. Conversion and loading of OpenVINO's model follow.
"""

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks._timing import cpu_model, versions
from medseg.inference.engines.conversion import openvino_model
from medseg.inference.engines.open_engine import open_engine
from medseg.inference.engines.openvino_runtime import load_openvino
from medseg.networks import UNet

CPU = torch.device("cpu")
Tool = tuple[Callable[[], object], int]


def main() -> None:
    """Measure every network and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--norms", nargs="+", default=["instance", "batch"])
    parser.add_argument("--window", type=int, nargs=3, default=[96, 96, 96])
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{cpu_model()}, {options.threads} threads, {versions(['torch', 'openvino'])}\n")
    for width in options.widths:
        for norm in options.norms:
            network = UNet(3, 1, 3, depth=4, first_width=width, norm_kind=norm).eval()
            with tempfile.TemporaryDirectory() as folder:
                report(network, f"width {width}, {norm} norm", Path(folder), options)


def report(network: UNet, name: str, folder: Path, options: argparse.Namespace) -> None:
    """One network: the table of its engines, then what OpenVINO costs once."""
    size = sum(parameter.numel() for parameter in network.parameters())
    print(f"{name}, {size / 1e6:.1f} M parameters\n")
    print("| engine | wall s a window | CPU s a window | ratio (CPU) |")
    print("|---|---|---|---|")
    seconds = take_turns(make_tools(network, tuple(options.window), folder), options.samples)
    _, first = next(iter(seconds.values()))
    for tool, (wall, cpu) in seconds.items():
        print(f"| {tool} | {wall:.2f} | {cpu:.2f} | {first / cpu:.2f} |", flush=True)
    once(network, tuple(options.window), folder)


def make_tools(network: UNet, window: tuple[int, ...], folder: Path) -> dict[str, Tool]:
    """Each engine as a call, and how many windows the call computes."""
    one, two = torch.rand(1, 1, *window), torch.rand(2, 1, *window)
    last = {"memory_format": torch.channels_last_3d}
    tools: dict[str, Tool] = {
        "torch fp32": (plain(network, one, "fp32"), 1),
        "torch bf16": (plain(network, one, "bf16"), 1),
        "torch bf16 channels last": (plain(copy.deepcopy(network).to(**last), one.to(**last)), 1),
    }
    for engine, precision in (("torch", "bf16"), ("openvino", "fp32"), ("openvino", "bf16")):
        run = open_engine(
            network,
            engine=engine,
            precision=precision,
            window=window,
            channels=1,
            device=CPU,
            cache_dir=folder,
        )
        tools[f"medseg {engine} {precision}"] = (lambda run=run: run(one), 1)
        if precision == "bf16":
            tools[f"medseg {engine} {precision}, batch 2"] = (lambda run=run: run(two), 2)
    model = folder / "requests"
    tools["OpenVINO bf16, two requests at a time"] = (two_requests(network, model, one), 2)
    return tools


def plain(network: UNet, windows: torch.Tensor, precision: str = "bf16") -> Callable[[], object]:
    """Torch without an engine of ours."""

    def run() -> None:
        half = precision == "bf16"
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            network(windows)

    return run


def two_requests(network: UNet, path: Path, window: torch.Tensor) -> Callable[[], object]:
    """Two windows side by side, each with half the threads."""
    openvino = load_openvino()
    model = openvino_model(network, path, window=tuple(window.shape[2:]), channels=1)
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 2,
        "ENABLE_CPU_PINNING": False,
    }
    queue = openvino.AsyncInferQueue(openvino.Core().compile_model(model, "CPU", settings), 2)

    def run() -> None:
        for _ in range(2):
            queue.start_async([window.numpy()], share_inputs=True)
        queue.wait_all()

    return run


def take_turns(tools: dict[str, Tool], samples: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds a window; one round to warm up is not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in tools}
    for turn in range(1 + samples):
        for name, (run, windows) in tools.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            spent = (time.perf_counter() - wall, time.process_time() - cpu)
            if turn:
                taken[name].append((spent[0] / windows, spent[1] / windows))
    return {
        name: (statistics.median(w for w, _ in times), statistics.median(c for _, c in times))
        for name, times in taken.items()
    }


def once(network: UNet, window: tuple[int, ...], folder: Path) -> None:
    """What is paid once for each set of weights, and once for each start."""
    words = ["first: converted, kept, compiled", "then: read, compiled"]
    for number, word in enumerate(words):
        start, cpu = time.perf_counter(), time.process_time()
        open_engine(
            network,
            engine="openvino",
            window=window,
            channels=1,
            device=CPU,
            cache_dir=folder / "once",
        )
        spent = time.perf_counter() - start, time.process_time() - cpu
        gap = "\n" if number == 0 else ""
        print(f"{gap}OpenVINO, {word}: {spent[0]:.1f} s wall, {spent[1]:.1f} s CPU", flush=True)
    print()


if __name__ == "__main__":
    main()
