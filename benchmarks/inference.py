"""From an image file to a label file: medseg, MONAI and nnU-Net with the same weights.

    python -m benchmarks.inference --weights model.safetensors [--case lung phantom]
    python -m benchmarks.inference --memory

The first prints, as Markdown, the time, the memory and how far labels agree, each tool's with
medseg's, MONAI's and nnU-Net's; the second what 512x512x800 voxels of 25 classes take, and of 2.
Each run has a process of its own; tools take turns. nnU-Net's mirroring takes eight times as long
and is run where --tool names it.

A network that is unsure, for want of training or because an image is not of its kind, changes its
labels with where windows stand, whoever lays them: the agreement of MONAI with nnU-Net says how
much. `--windows same` takes that away: the network works at the spacing near the one asked for at
which tools that run every window lay the same ones over the same voxels, by a half's overlap and
from edge to edge of the image. medseg as it is lays its own over the body. Then MONAI and nnU-Net
differ in what they bring to the image's grid, probabilities and logits, in whether they resample
before or after they clip, and in sums of fp16.

Without `--weights` the network is random: time and memory stand, labels mean nothing, and medseg
falls back to torch, so name an --engine.
"""

import argparse
import shutil
import statistics
from dataclasses import replace
from pathlib import Path
from typing import get_args

import nibabel
import numpy as np
from numpy.typing import NDArray

from benchmarks._inference_cases import CaseName, case_image, large_image, random_weights
from benchmarks._inference_memory import report_memory
from benchmarks._inference_run import Run, Setting, run_apart
from benchmarks._inference_tools import TOOLS
from benchmarks._timing import cpu_model, versions

# With nothing in the cache: the network is converted, and held against torch.
FIRST = "medseg, first time"
# Fewer voxels of a class say more about its surface than about a tool.
LEAST_VOXELS = 1000
MIRRORING = "nnU-Net, mirroring"

Label = NDArray[np.uint8]


def main() -> None:
    """Measure and print."""
    options = parse()
    packages = ["torch", "monai", "nnunetv2", "openvino"]
    print(f"{cpu_model()}, {options.threads} threads; {versions(packages)}\n")
    setting = Setting(
        window=tuple(options.window),
        spacing_mm=tuple(options.spacing_mm),
        threads=options.threads,
        limit_gb=options.limit_gb,
        engine=options.engine,
        windows=options.windows,
    )
    if options.memory:
        image = large_image(options.folder, tuple(options.shape or (512, 512, 800)))
        tools = [tool for tool in ("medseg", "MONAI") if tool in (options.tool or TOOLS)]
        report_memory(tools, options.classes, image, setting)
        return
    weights = options.weights or random_weights(options.folder, width=16, classes=3)
    print(f"weights: {'trained' if options.weights else 'random, so labels mean nothing'}\n")
    for case in options.case:
        report_case(case, weights, setting, options)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tools = [*TOOLS, FIRST]
    parser.add_argument("--weights", type=Path, help="`.safetensors` of any training")
    cases = get_args(CaseName)
    parser.add_argument("--case", choices=cases, nargs="+", default=list(cases))
    parser.add_argument(
        "--tool", choices=tools, nargs="+", help="all but mirroring, if none is named"
    )
    parser.add_argument("--engine", choices=["auto", "torch", "openvino"], default="auto")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--window", type=int, nargs=3, default=[96, 96, 96])
    parser.add_argument("--spacing-mm", type=float, nargs=3, default=[2, 2, 2])
    parser.add_argument("--windows", choices=["own", "same"], default="own", help="see above")
    parser.add_argument("--shape", type=int, nargs=3, help="of the phantom")
    parser.add_argument("--folder", type=Path, default=Path("runs/inference"))
    parser.add_argument("--limit-gb", type=float, default=20)
    parser.add_argument("--memory", action="store_true", help="many voxels, many classes")
    parser.add_argument("--classes", type=int, nargs="+", default=[25, 2], help="for --memory")
    options = parser.parse_args()
    if options.windows == "same" and (options.memory or any(n % 2 for n in options.window)):
        parser.error("--windows same is for even windows, and not for --memory")
    return options


def report_case(
    case: CaseName, weights: Path, setting: Setting, options: argparse.Namespace
) -> None:
    """One image by every tool."""
    image = case_image(case, options.folder, tuple(options.shape or (512, 512, 300)))
    if setting.windows == "same":
        setting = replace(setting, spacing_mm=shared_spacing(image, setting))
    spacing = " x ".join(f"{step:.4g}" for step in setting.spacing_mm)
    print(f"{case}: {'x'.join(map(str, nibabel.load(image).shape))}, network at {spacing} mm\n")
    folder = options.folder / case
    tools = options.tool or [t for t in (*TOOLS, FIRST) if t != MIRRORING]
    jobs = {tool: (image, folder / tool.replace(", ", "_"), weights) for tool in tools}
    if "medseg" in jobs:
        run_apart("medseg", jobs["medseg"], folder / "cache", setting)  # fills the cache
    runs: dict[str, list[Run]] = {tool: [] for tool in jobs}
    for _ in range(options.repeats):
        for tool, job in jobs.items():
            runs[tool].append(run_one(tool, job, folder, setting))
    rows(runs, {tool: job[1] for tool, job in jobs.items()})


def shared_spacing(image: Path, setting: Setting) -> tuple[float, ...]:
    """Near the setting's: an axis is then a window and a whole number of half windows long.

    MONAI begins windows at every half, nnU-Net spreads as many evenly: here that is the same.
    Axes are those of the network, right, anterior, superior; windows have even sizes.
    """
    loaded = nibabel.as_closest_canonical(nibabel.load(image))
    extents = np.multiply(loaded.shape, loaded.header.get_zooms()[:3])
    halves = np.asarray(setting.window) / 2
    count = np.maximum(np.round(extents / np.asarray(setting.spacing_mm) / halves), 2)
    return tuple((extents / (count * halves)).tolist())


def run_one(tool: str, job: tuple[Path, Path, Path], folder: Path, setting: Setting) -> Run:
    """One run; the cache is as the tool's name says."""
    if tool != FIRST:
        return run_apart(tool, job, folder / "cache", setting)
    shutil.rmtree(folder / "no_cache", ignore_errors=True)
    return run_apart("medseg", job, folder / "no_cache", setting)


def rows(runs: dict[str, list[Run]], outputs: dict[str, Path]) -> None:
    """The table; ratios against medseg, DSC against each of three, where they are there."""
    compared = [tool for tool in ("medseg", "MONAI", "nnU-Net") if runs.get(tool)]
    heads = ["tool", "s", "CPU s", "peak GB", "s by medseg's", "CPU s by medseg's"]
    heads += [f"DSC with {tool}'s" for tool in compared]
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    middle = {tool: medians(taken) for tool, taken in runs.items()}
    ours = middle.get("medseg")
    references = [read_label(outputs[tool]) if middle[tool] else None for tool in compared]
    for tool, run in middle.items():
        if not run:
            print(f"| {tool} | stopped for its memory |{' |' * (len(heads) - 2)}")
            continue
        numbers = [f"{run[key]:.1f}" for key in ("seconds", "cpu_seconds", "peak_gb")]
        ratios = [f"{run[k] / ours[k]:.1f}" if ours else "" for k in ("seconds", "cpu_seconds")]
        found = read_label(outputs[tool])
        dice = ["" if one is None else agreement(found, one) for one in references]
        print(f"| {' | '.join([tool, *numbers, *ratios, *dice])} |", flush=True)
    print()


def medians(runs: list[Run]) -> Run:
    """The middle of each figure; nothing where a run was stopped."""
    if not all(runs):
        return {}
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def agreement(found: Label, reference: Label) -> str:
    """DSC of each class, but for the background, that one of both has enough voxels of."""
    counts = np.maximum(*(np.bincount(a.ravel(), minlength=256) for a in (found, reference)))
    classes = [value for value in range(1, 256) if counts[value] > LEAST_VOXELS]
    return ", ".join(
        f"{value}: {dice(found == value, reference == value):.4f}" for value in classes
    )


def dice(found: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """DSC of two masks, not both empty."""
    return 2 * float((found & reference).sum()) / float(found.sum() + reference.sum())


def read_label(folder: Path) -> Label:
    """The one label that a tool wrote, wherever in its folder."""
    (path,) = folder.rglob("*.nii.gz")
    return np.asarray(nibabel.load(path).dataobj).astype(np.uint8)


if __name__ == "__main__":
    main()
