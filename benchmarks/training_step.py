"""A step of the COVID bundle's training, data included: its own data path and the one before it.

    python -m benchmarks.training_step [--samples 20] [--threads 2]

Prints a Markdown table for RESULTS.md. The bundle's configuration as it stands draws each patch
by `CaseDataset` and `RandWarpPatchd`; before, it was MONAI's `CacheDataset` with a crop by class,
an affine map and a grid distortion, which bends nothing. Network, loss and optimiser are the same
objects; the two take turns, a step each.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import torch
from monai import transforms as monai_transforms
from monai.data import CacheDataset, DataLoader, list_data_collate

from benchmarks._steps import Taken, bundle_stepper, take_turns
from benchmarks._timing import cpu_model, versions
from medseg.bundles.run import open_workflow
from medseg.data.phantoms.chest.writer import PhantomSet, write_phantoms
from medseg.training import training_loader

BUNDLE = "bundles/covid_lung_ct_unet3d"
KEYS = ("image", "label")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{cpu_model()}; {options.threads} threads\n{versions(['medseg', 'torch', 'monai'])}\n")
    with tempfile.TemporaryDirectory() as folder:
        parts = training_parts(Path(folder))
        print_table(measure(parts, options.samples))


def training_parts(folder: Path) -> Any:
    """The bundle's training on four phantoms, ready to be asked for its parts."""
    write_phantoms(folder / "data", PhantomSet(cases=4, test_cases=0, folds=4))
    workflow = open_workflow(
        BUNDLE,
        configs=["train"],
        run_id="training",
        overrides={"dataset_dir": str(folder / "data"), "output_dir": str(folder / "eval")},
        log="quiet",
    )
    workflow.initialize()
    return workflow.parser


def measure(parts: Any, samples: int) -> dict[str, list[Taken]]:
    """The bundle's data path and the one before it."""
    names = ("train#dataset", "device", "control")
    dataset, device, control = map(parts.get_parsed_content, names)
    loader = training_loader(dataset, device=device, control=control)
    sources = {
        "the bundle's: `RandWarpPatchd`": (batch for _ in count() for batch in loader),
        "before: MONAI's crop, affine, grid distortion": old_batches(parts),
    }
    steppers = {name: bundle_stepper(parts, batches) for name, batches in sources.items()}
    return take_turns(steppers, samples)


def old_batches(parts: Any) -> Iterator[Any]:
    """As the bundle's recipe had it before the warp: two patches a case."""
    preparation = parts.get_parsed_content("validate#preprocessing").transforms
    size, window = (parts.get_parsed_content(name) for name in ("patch_size", "class_names"))
    steps = monai_transforms.Compose([*preparation, *old_steps(size, len(window))])
    data = CacheDataset(parts.get_parsed_content("train_cases"), steps, progress=False)
    loader = DataLoader(data, batch_size=1, shuffle=True, collate_fn=list_data_collate)
    return (batch for _ in count() for batch in loader)


def old_steps(size: list[int], classes: int) -> list[Any]:
    """Crop by class, flip, affine map, grid distortion, intensity."""
    both = {"mode": ("bilinear", "nearest"), "padding_mode": "border"}
    turn = {"rotate_range": [0.1, 0.1, 0.26], "scale_range": [0.1, 0.1, 0.1]}
    return [
        monai_transforms.SpatialPadd(KEYS, size),
        monai_transforms.ClassesToIndicesd(
            "label", num_classes=classes, max_samples_per_class=20000
        ),
        monai_transforms.EnsureTyped(KEYS, track_meta=False),
        monai_transforms.RandCropByLabelClassesd(
            KEYS,
            label_key="label",
            indices_key="label_cls_indices",
            num_classes=classes,
            ratios=[1, 1, 2],
            spatial_size=size,
            num_samples=2,
            warn=False,
        ),
        monai_transforms.DeleteItemsd("label_cls_indices"),
        monai_transforms.RandFlipd(KEYS, spatial_axis=0, prob=0.5),
        monai_transforms.RandAffined(KEYS, prob=0.3, **turn, **both),
        monai_transforms.RandGridDistortiond(
            KEYS, prob=0.2, num_cells=4, distort_limit=0.15, **both
        ),
        monai_transforms.RandAdjustContrastd("image", prob=0.3, gamma=[0.7, 1.5]),
        monai_transforms.RandScaleIntensityd("image", prob=0.3, factors=0.2),
        monai_transforms.RandShiftIntensityd("image", prob=0.3, offsets=0.1),
        monai_transforms.RandGaussianNoised("image", prob=0.2, std=0.04),
    ]


def print_table(results: dict[str, list[Taken]]) -> None:
    """Medians; the mean of the data's part, as only some samples are deformed."""
    print("| data path | s a step | processor s a step | of these data, s | ratio |")
    print("|---|---|---|---|---|")
    first = 0.0
    for name, samples in results.items():
        wall, processor, _ = (statistics.median(column) for column in zip(*samples, strict=True))
        data = statistics.mean(taken.data for taken in samples)
        first = first or wall
        print(f"| {name} | {wall:.2f} | {processor:.2f} | {data:.3f} | {wall / first:.2f} |")


if __name__ == "__main__":
    main()
