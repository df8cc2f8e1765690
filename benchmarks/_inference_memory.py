"""The memory part of the inference benchmark: 512x512x800 voxels, many classes and few."""

from itertools import product
from pathlib import Path

import nibabel

from benchmarks._inference_cases import random_weights
from benchmarks._inference_run import Setting, run_apart

__all__ = ["report_memory"]

# Of a small network, so that what is measured is what surrounds it.
WIDTH = 4


def report_memory(tools: list[str], counts: list[int], image: Path, setting: Setting) -> None:
    """Print the table: each tool with each number of classes."""
    folder, shape = image.parent, nibabel.load(image).shape
    spacing = " x ".join(f"{step:g}" for step in setting.spacing_mm)
    print(f"{'x'.join(map(str, shape))} voxels, network at {spacing} mm, width {WIDTH}, random\n")
    print("| tool | classes | peak GB | s | CPU s |\n|---|---|---|---|---|")
    for tool, classes in product(tools, counts):
        weights = random_weights(folder, width=WIDTH, classes=classes)
        job = (image, folder / "memory" / tool, weights)
        run = run_apart(tool, job, folder / "cache", setting)
        print(f"| {tool} | {classes} | {_figures(run, setting)} |", flush=True)


def _figures(run: dict[str, float], setting: Setting) -> str:
    if not run:
        return f"stopped at {setting.limit_gb:g} | |"
    return f"{run['peak_gb']:.2f} | {run['seconds']:.0f} | {run['cpu_seconds']:.0f}"
