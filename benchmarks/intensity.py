"""What each change of intensity costs, in medseg, in MONAI, and beside the warp.

    python -m benchmarks.intensity [--samples 21]

Prints Markdown tables for docs/decisions and RESULTS.md: median milliseconds of one patch on one
thread, every step happening; then a chain of them, happening always and as often as in a
recipe, beside `RandWarpPatchd` of the same image and a label.
"""

import argparse
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import monai.transforms as monai
import numpy as np
import torch
from torch import Tensor

from benchmarks._timing import cpu_model, median_times, on_one_thread, versions
from medseg import transforms as ours
from medseg.transforms import Elastic, Rotation, WarpRanges, Zoom

SHAPES = {"1x96x96x96": (1, 96, 96, 96), "3x512x512": (3, 512, 512)}
# As often as the MR recipe draws each.
SHARES = {
    "bias field": 0.3,
    "gamma": 0.3,
    "contrast": 0.15,
    "brightness": 0.15,
    "blur, sigma 0.5 to 1.5": 0.15,
    "low resolution, 1.3 to 2": 0.15,
    "Rician noise": 0.15,
}

Step = Callable[[Mapping[str, Any]], Any]


def main() -> None:
    """Measure every step on every shape, then the chains."""
    on_one_thread()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=21)
    samples = parser.parse_args().samples
    print(f"{cpu_model()}; {versions(['torch', 'monai'])}; medians of {samples}\n")
    for name, shape in SHAPES.items():
        print_steps(name, shape, samples)
    print_chains(SHAPES["1x96x96x96"], samples)


def print_steps(name: str, shape: tuple[int, ...], samples: int) -> None:
    """One row a step."""
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    mine, theirs = our_steps(len(shape) - 1), monai_steps(len(shape) - 1)
    tools = {("medseg", step): bound(tool, image) for step, tool in mine.items()}
    tools |= {("MONAI", step): bound(tool, image) for step, tool in theirs.items()}
    times = median_times({f"{a}|{b}": tool for (a, b), tool in tools.items()}, samples)
    print(f"| {name}, ms | medseg | MONAI | MONAI / medseg |")
    print("|---|---|---|---|")
    for step in mine | theirs:
        own, other = times.get(f"medseg|{step}"), times.get(f"MONAI|{step}")
        ratio = f"{other / own:.1f}" if own and other else "-"
        cells = [f"{ms:.1f}" if ms else "-" for ms in (own, other)]
        print(f"| {step} | {cells[0]} | {cells[1]} | {ratio} |")
    print()


def bound(step: Step, image: Tensor) -> Callable[[], object]:
    """The step on a copy of this image: MONAI's z-score writes into what it is given."""
    return lambda: step({"image": image.clone()})


def our_steps(axes: int) -> dict[str, Step]:
    """What `medseg.transforms` has; the last three are what torch needs, for comparison only."""
    always: dict[str, Any] = {"keys": "image", "prob": 1}
    steps: dict[str, Step] = {
        "Gaussian noise": ours.RandGaussianNoised(std_range=(0, 0.1), **always),
        "Rician noise": ours.RandRicianNoised(std_range=(0, 0.1), **always),
        "blur, sigma 0.5 to 1.5": ours.RandBlurd(
            sigma_mm_range=(0.5, 1.5), spacing_mm=[1] * axes, **always
        ),
        "gamma": ours.RandGammad(gamma_range=(0.7, 1.5), **always),
        "gamma, mean and std kept": ours.RandGammad(
            gamma_range=(0.7, 1.5), keep="mean and std", **always
        ),
        "bias field": ours.RandBiasFieldd(**always),
        "low resolution, 1.3 to 2": ours.RandLowResolutiond(factor_range=(1.3, 2), **always),
        "z-score": ours.ZScored("image", "all"),
        "percentile clip": ours.ClipPercentilesd("image", (0.5, 99.5), "all"),
    }
    if axes == 2:
        steps["colour jitter"] = ours.RandColourJitterd(**always)
        steps["stain jitter"] = ours.RandStainJitterd(**always)
    steps["contrast (plain torch)"] = lambda sample: contrast(sample["image"], 1.2)
    steps["brightness (plain torch)"] = lambda sample: sample["image"] * 1.2
    steps["shift (plain torch)"] = lambda sample: sample["image"] + 0.1
    return steps


def contrast(image: Tensor, factor: float) -> Tensor:
    """Scale the distance from the mean, and keep the range."""
    mean, (low, high) = image.mean(), image.aminmax()
    return (image - mean).mul_(factor).add_(mean).clamp_(low, high)


def monai_steps(axes: int) -> dict[str, Step]:
    """MONAI's nearest, with the ranges of ours."""
    always: dict[str, Any] = {"keys": "image", "prob": 1}
    sigmas = {f"sigma_{axis}": (0.5, 1.5) for axis in "xyz"}
    linear = "trilinear" if axes == 3 else "bilinear"
    return {
        "Gaussian noise": monai.RandGaussianNoised(std=0.1, **always),
        "Rician noise": monai.RandRicianNoised(std=0.1, **always),
        "blur, sigma 0.5 to 1.5": monai.RandGaussianSmoothd(**sigmas, **always),
        "gamma": monai.RandAdjustContrastd(gamma=(0.7, 1.5), **always),
        "gamma, mean and std kept": monai.RandAdjustContrastd(
            gamma=(0.7, 1.5), retain_stats=True, **always
        ),
        "bias field": monai.RandBiasFieldd(**always),
        "low resolution, 1.3 to 2": monai.RandSimulateLowResolutiond(
            zoom_range=(1 / 2, 1 / 1.3), upsample_mode=linear, **always
        ),
        "z-score": monai.NormalizeIntensityd("image", channel_wise=True),
        "percentile clip": monai.ClipIntensityPercentilesd("image", 0.5, 99.5, channel_wise=True),
        "contrast (plain torch)": monai.RandScaleIntensityFixedMeand(
            factors=0.2, preserve_range=True, **always
        ),
        "brightness (plain torch)": monai.RandScaleIntensityd(factors=0.2, **always),
        "shift (plain torch)": monai.RandShiftIntensityd(offsets=0.1, **always),
    }


def print_chains(shape: tuple[int, ...], samples: int) -> None:
    """All steps of an MR recipe after one another, beside the warp."""
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    always, often = chain(dict.fromkeys(SHARES, 1.0)), chain(SHARES)
    times = median_times({"warp": warp(image), "chain, always": bound(always, image)}, samples)
    # A median of rare events says little: the mean of many.
    mean = np.mean(
        [median_times({"one": bound(often, image)}, 1)["one"] for _ in range(samples * 5)]
    )
    print("| 1x96x96x96, ms | |")
    print("|---|---|")
    print(f"| `RandWarpPatchd`, image and label, elastic | {times['warp']:.1f} |")
    print(f"| all of {', '.join(SHARES)}, always | {times['chain, always']:.1f} |")
    print(f"| the same at the recipe's shares, mean | {mean:.1f} |")


def chain(shares: Mapping[str, float]) -> Step:
    """The steps of `SHARES`, each with its probability."""
    key: dict[str, Any] = {"keys": "image"}
    steps = [
        ours.RandBiasFieldd(prob=shares["bias field"], **key),
        ours.RandGammad(prob=shares["gamma"], keep="mean and std", **key),
        monai.RandScaleIntensityFixedMeand(
            prob=shares["contrast"], factors=0.25, preserve_range=True, **key
        ),
        monai.RandScaleIntensityd(prob=shares["brightness"], factors=0.2, **key),
        ours.RandBlurd(
            sigma_mm_range=(0.5, 1.5),
            spacing_mm=[1, 1, 1],
            prob=shares["blur, sigma 0.5 to 1.5"],
            **key,
        ),
        ours.RandLowResolutiond(
            factor_range=(1.3, 2), prob=shares["low resolution, 1.3 to 2"], **key
        ),
        ours.RandRicianNoised(std_range=(0, 0.1), prob=shares["Rician noise"], **key),
    ]
    return monai.Compose(steps).set_random_state(0)


def warp(image: Tensor) -> Callable[[], object]:
    """RandWarpPatchd of the whole patch and a label."""
    ranges = WarpRanges(
        rotation=Rotation(degrees=30, prob=1),
        zoom=Zoom(low=0.75, high=1.33, prob=1),
        elastic=Elastic(max_displacement_mm=8, control_spacing_mm=32, prob=1),
    )
    size = image.shape[1:]
    step = ours.RandWarpPatchd(
        ["image", "label"],
        size,
        [1.0] * len(size),
        ["linear", "nearest"],
        warp=ranges,
        centres=ours.Centres(foreground=0),
    )
    sample = {"image": image.numpy(), "label": (image > 0.5).to(torch.uint8).numpy()}
    return lambda: step(sample)


if __name__ == "__main__":
    main()
