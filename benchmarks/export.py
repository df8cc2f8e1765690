"""From logits at the network's spacing to a label at the image's: time and extra memory.

    python -m benchmarks.export

Logits `(classes, 100, 170, 170)` become a label of 200x340x340, by medseg's slabs and by
nnU-Net's two ways (skimage, its default, and torch), each in a process of its own.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks._timing import cpu_model, versions

SHAPE, FULL = (100, 170, 170), (200, 340, 340)
TOOLS = ("medseg", "nnU-Net torch", "nnU-Net default")


def smooth_logits(classes: int) -> torch.Tensor:
    """Logits with regions of some size, as a network gives them."""
    coarse = torch.randn(1, classes, 12, 20, 20, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=SHAPE, mode="trilinear")[0]


def medseg_label(logits: torch.Tensor) -> np.ndarray:
    """Ours: one class after the other, slab by slab."""
    from medseg.inference.grid_map import GridMap
    from medseg.inference.slabs import Slab
    from medseg.inference.source_grid import label_in_source_grid

    # Voxel centres of both grids cover one box, as nnU-Net has them.
    grid = GridMap((0, 1, 2), (0.5, 0.5, 0.5), (-0.25, -0.25, -0.25), FULL)
    slabs = (Slab(start, logits[:, start : start + 24]) for start in range(0, SHAPE[0], 24))
    return label_in_source_grid(slabs, grid)


def nnunet_torch_label(logits: torch.Tensor) -> np.ndarray:
    """nnU-Net's faster way: all classes at full size by torch, then the greatest."""
    from nnunetv2.preprocessing.resampling.resample_torch import resample_torch_fornnunet

    full = resample_torch_fornnunet(logits, FULL, (2, 2, 2), (1, 1, 1), is_seg=False)
    return np.asarray(full).argmax(0).astype(np.uint8)


def nnunet_default_label(logits: torch.Tensor) -> np.ndarray:
    """nnU-Net's default: all classes at full size by skimage, then the greatest."""
    from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape

    full = resample_data_or_seg_to_shape(
        logits.numpy(), FULL, (2, 2, 2), (1, 1, 1), is_seg=False, order=1, order_z=0
    )
    return np.asarray(full).argmax(0).astype(np.uint8)


WAYS: dict[str, Callable[[torch.Tensor], np.ndarray]] = dict(
    zip(TOOLS, (medseg_label, nnunet_torch_label, nnunet_default_label), strict=True)
)


def peak_mb(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """The most memory held while `work` runs, above what was held before, in MB."""
    page = resource.getpagesize()
    stop = threading.Event()
    held: list[int] = []

    def watch() -> None:
        while not stop.is_set():
            held.append(int(Path("/proc/self/statm").read_text().split()[1]) * page)
            stop.wait(0.005)

    before = int(Path("/proc/self/statm").read_text().split()[1]) * page
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = work()
    finally:
        stop.set()
        watcher.join()
    return result, (max(held) - before) / 1e6


def measure(tool: str, classes: int) -> dict[str, float]:
    """One run in this process: seconds on the clock, of the processor, and MB."""
    logits = smooth_logits(classes)
    WAYS[tool](logits[:2])  # imports and first calls
    clock, processor = time.perf_counter(), time.process_time()
    label, extra = peak_mb(lambda: WAYS[tool](logits))
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - processor
    reference = medseg_label(logits)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "extra_mb": extra,
        "equal": float((label == reference).mean()),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--classes", type=int, nargs="+", default=[4, 25])
    parser.add_argument("--only", choices=TOOLS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.classes[0])))
        return
    print(f"{cpu_model()}; {versions(['torch', 'nnunetv2'])}\n")
    print("| classes | tool | s | CPU s | extra MB | labels equal to medseg's | time ratio |")
    print("|---|---|---|---|---|---|---|")
    for classes in options.classes:
        runs = {tool: [run_apart(tool, classes) for _ in range(options.repeats)] for tool in TOOLS}
        ours = statistics.median(run["seconds"] for run in runs["medseg"])
        for tool, taken in runs.items():
            middle = {key: statistics.median(run[key] for run in taken) for key in taken[0]}
            print(
                f"| {classes} | {tool} | {middle['seconds']:.2f} | {middle['cpu_seconds']:.2f} | "
                f"{middle['extra_mb']:.0f} | {100 * middle['equal']:.4f} % | "
                f"{middle['seconds'] / ours:.1f} |"
            )


def run_apart(tool: str, classes: int) -> dict[str, float]:
    """The same in a process of its own, so that no run inherits another's memory."""
    command = [sys.executable, "-m", "benchmarks.export", "--only", tool, "--classes", str(classes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
