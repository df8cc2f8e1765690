"""Training throughput: the hippocampus bundle, and the same written with MONAI's stock parts.

    python -m benchmarks.training [--samples 200] [--threads 2] [--dataset-dir DIR]

Prints patches a second, as Markdown. Network, patch size, batch and optimiser are the same; the
stock form is what MONAI's tutorials and model zoo are made of: CacheDataset, a crop by class, the
stock transform for each of the recipe's augmentations with its probability and strength,
DiceCELoss, fp32, which is what MONAI's engines train in on a CPU. Each in a process of its own, as
medseg changes how a process keeps its memory; ten steps each in turn, data included, without
workers: of two cores the network leaves them nothing.
"""

import argparse
import copy
import os
from collections.abc import Iterator
from functools import partial
from itertools import count
from math import radians
from pathlib import Path
from typing import Any

import torch
from monai import transforms as monai_transforms
from monai.data import CacheDataset, DataLoader, list_data_collate
from monai.losses import DiceCELoss

from benchmarks._augmentation_monai import monai_elastic
from benchmarks._augmentation_setting import Setting
from benchmarks._steps import Stepper, Taken, bundle_stepper, take_turns_apart
from benchmarks._timing import cpu_model, versions
from medseg.bundles.run import open_workflow
from medseg.training import keep_freed_memory, training_loader

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "hippocampus_mri_unet3d"
DATA = Path(os.environ.get("MEDSEG_DATA", BUNDLE.parents[2] / "shared" / "data"))
KEYS = ("image", "label")
BATCH = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dataset-dir", type=Path, default=DATA / "mri" / "hippocampus")
    options = parser.parse_args()
    print(f"{cpu_model()}; {options.threads} threads\n{versions(['medseg', 'torch', 'monai'])}\n")
    makers = {
        "medseg": partial(medseg, options.dataset_dir),
        "medseg in fp32": partial(medseg, options.dataset_dir, precision="fp32"),
        "MONAI's stock parts, fp32": partial(stock, options.dataset_dir),
    }
    print_table(take_turns_apart(makers, options.samples, options.threads))


def medseg(dataset_dir: Path, **overrides: Any) -> Stepper:
    """The bundle as it is."""
    keep_freed_memory()  # its run does so first
    parts = opened(dataset_dir, **overrides)
    names = ("train#dataset", "device", "control")
    dataset, device, control = map(parts.get_parsed_content, names)
    loader = training_loader(dataset, device=device, control=control)
    return bundle_stepper(parts, (batch for _ in count() for batch in loader))


def stock(dataset_dir: Path) -> Stepper:
    """The same network and optimiser; data, loss and precision of MONAI's."""
    # The layout that MONAI leaves networks in.
    parts = opened(dataset_dir, memory_format="contiguous_format")
    network = copy.deepcopy(parts.get_parsed_content("network"))
    rate = parts.get_parsed_content("learning_rate")
    return Stepper(
        network=network,
        call=lambda image, net: net(image),
        loss=DiceCELoss(to_onehot_y=True, softmax=True),
        optimizer=torch.optim.Adam(network.parameters(), lr=rate),
        batches=stock_batches(parts),
    )


def opened(dataset_dir: Path, **overrides: Any) -> Any:
    """The bundle's training, ready to be asked for its parts."""
    workflow = open_workflow(
        BUNDLE,
        configs=["train"],
        run_id="training",
        overrides={"dataset_dir": str(dataset_dir), "batch_size": BATCH, **overrides},
        log="quiet",
    )
    workflow.initialize()
    return workflow.parser


def stock_batches(parts: Any) -> Iterator[Any]:
    """All patches of a batch from one case, which is the cheapest way MONAI has."""
    patch = parts.get_parsed_content("patch_size")
    steps = monai_transforms.Compose([*stock_preparation(patch), *stock_augmentation(patch)])
    data = CacheDataset(parts.get_parsed_content("train_cases"), steps, progress=False)
    loader = DataLoader(data, batch_size=1, shuffle=True, collate_fn=list_data_collate)
    return (batch for _ in count() for batch in loader)


def stock_preparation(patch: list[int]) -> list[Any]:
    """What is cached."""
    return [
        monai_transforms.LoadImaged(KEYS, image_only=True, ensure_channel_first=True),
        monai_transforms.Orientationd(KEYS, axcodes="RAS", labels=None),
        monai_transforms.Spacingd(KEYS, pixdim=(1, 1, 1), mode=("bilinear", "nearest")),
        monai_transforms.NormalizeIntensityd("image", nonzero=True),
        monai_transforms.SpatialPadd(KEYS, patch),
        monai_transforms.ClassesToIndicesd("label", num_classes=3),
        monai_transforms.EnsureTyped(KEYS, track_meta=False),
    ]


def stock_augmentation(patch: list[int]) -> list[Any]:
    """The recipe's, one stock transform for each."""
    both = {"mode": ("bilinear", "nearest"), "padding_mode": "border"}
    elastic = Setting(
        name="", volume=(), patch=tuple(patch), control_spacing=16, max_displacement=4
    )
    return [
        monai_transforms.RandCropByLabelClassesd(
            KEYS,
            label_key="label",
            indices_key="label_cls_indices",
            num_classes=3,
            ratios=[1, 1, 1],
            spatial_size=patch,
            num_samples=BATCH,
            warn=False,
        ),
        monai_transforms.DeleteItemsd("label_cls_indices"),
        monai_transforms.RandFlipd(KEYS, spatial_axis=0, prob=0.5),
        monai_transforms.RandAffined(KEYS, prob=0.3, rotate_range=[radians(15)] * 3, **both),
        monai_transforms.RandZoomd(
            KEYS, prob=0.3, min_zoom=0.85, max_zoom=1.18, mode=("trilinear", "nearest")
        ),
        monai_elastic(elastic, prob=0.3),
        monai_transforms.RandBiasFieldd("image", prob=0.3),
        monai_transforms.RandAdjustContrastd("image", prob=0.3, gamma=(0.7, 1.5)),
        monai_transforms.RandScaleIntensityFixedMeand("image", prob=0.15, factors=0.25),
        monai_transforms.RandShiftIntensityd("image", prob=0.15, offsets=0.2),
        monai_transforms.RandGaussianSmoothd("image", prob=0.15),
        monai_transforms.RandSimulateLowResolutiond("image", prob=0.15, zoom_range=(0.5, 0.8)),
        monai_transforms.RandRicianNoised("image", prob=0.15, std=0.2),
    ]


def print_table(results: dict[str, list[Taken]]) -> None:
    """Means, as only some samples are deformed: patches in all by seconds in all."""
    print("| training | patches a s | ratio | ms a step | of these data | processor ms a step |")
    print("|---|---|---|---|---|---|")
    ours = 0.0
    for name, taken in results.items():
        wall, processor, data = (1000 * sum(c) / len(c) for c in zip(*taken, strict=True))
        speed = BATCH * 1000 / wall
        ours = ours or speed
        row = f"{speed:.1f} | {ours / speed:.2f} | {wall:.0f} | {data:.1f} | {processor:.0f}"
        print(f"| {name} | {row} |")


if __name__ == "__main__":
    main()
