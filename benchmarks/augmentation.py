"""What an augmented patch costs: medseg's fused warp, MONAI, batchgeneratorsv2 and TorchIO.

    python -m benchmarks.augmentation [--samples 20]

Prints Markdown tables for RESULTS.md: median milliseconds of the processor's time for one patch
of image and label on one thread, and how many times medseg's that is; once with rotation,
zoom and elastic deformation in every sample, once without the deformation. With a GPU at hand
also samples a second of the batched form. How the tools were set: `_augmentation_tools.py`.
"""

import argparse
from dataclasses import replace

import SimpleITK as sitk  # noqa: N813 - its own documentation's name
import torch
from monai.data.meta_obj import set_track_meta

from benchmarks._augmentation_gpu import samples_per_second
from benchmarks._augmentation_setting import SETTINGS, Case, Sampler, Setting, make_case
from benchmarks._augmentation_tools import MAKERS
from benchmarks._timing import cpu_model, median_times, on_one_thread, versions

PACKAGES = ["medseg", "torch", "monai", "batchgeneratorsv2", "torchio", "SimpleITK", "numpy"]


def main() -> None:
    """Measure and print."""
    on_one_thread()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    # Metadata costs MONAI time that the other tools do not spend.
    set_track_meta(False)
    print(f"{cpu_model()}; one thread; medians of {options.samples}\n{versions(PACKAGES)}\n")
    for elastic in ("on", "off"):
        settings = [replace(setting, elastic=elastic) for setting in SETTINGS]
        results = {s.name: measure(s, options.samples) for s in settings}
        print(f"Elastic deformation {elastic}:\n")
        print_table(results)
    print_gpu()


def measure(setting: Setting, samples: int) -> dict[str, float]:
    """Median milliseconds of every tool that is installed."""
    tools = make_tools(make_case(setting.volume), setting)
    for name, tool in tools.items():
        check(name, tool, setting)
    return median_times(tools, samples)


def make_tools(case: Case, setting: Setting) -> dict[str, Sampler]:
    """Samplers by name; what is not installed is named on the screen and left out."""
    tools: dict[str, Sampler] = {}
    for name, make in MAKERS.items():
        try:
            tools[name] = make(case, setting)
        except ModuleNotFoundError as error:
            print(f"NOT MEASURED: {name}: {error}; `make bench` installs it\n")
    return tools


def check(name: str, tool: Sampler, setting: Setting) -> None:
    """One sample of the right shape, with no new label, or an error: no rates for wrong work."""
    image, label = tool()
    shapes = {tuple(image.shape), tuple(label.shape)}
    values = set(torch.as_tensor(label).unique().tolist())
    if shapes != {(1, *setting.patch)} or not values <= {0, 1, 2}:
        raise RuntimeError(f"{name}, {setting.name}: shapes {shapes}, labels {values}")


def print_table(results: dict[str, dict[str, float]]) -> None:
    """Rows of tools, for each setting two columns: milliseconds, and times medseg's."""
    heads = " | ".join(f"{name}: ms | ratio" for name in results)
    print(f"| tool | {heads} |\n|---|{'---|' * 2 * len(results)}")
    tools = next(iter(results.values()))
    for tool in tools:
        cells = []
        for times in results.values():
            own = next(iter(times.values()))
            cells.append(f"{times[tool]:.1f} | {times[tool] / own:.2f}")
        print(f"| {tool} | {' | '.join(cells)} |")
    print()


def print_gpu() -> None:
    """Rows of settings: samples a second of medseg's batch and of MONAI's transforms."""
    if not torch.cuda.is_available():
        print("NOT MEASURED: no GPU at hand for the batched form, `RandWarpBatchd`")
        return
    print(f"{torch.cuda.get_device_name()}, batches of image and label on the GPU:\n")
    print("| patches | elastic | medseg, samples/s | MONAI, samples/s | ratio |")
    print("|---|---|---|---|---|")
    for elastic in ("on", "off"):
        for setting in SETTINGS:
            own, peer = samples_per_second(replace(setting, elastic=elastic), "cuda")
            print(f"| {setting.name} | {elastic} | {own:.0f} | {peer:.0f} | {own / peer:.2f} |")


if __name__ == "__main__":
    main()
