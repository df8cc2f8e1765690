"""Ways from 50 cases on disk to batches of patches, set as equal as they can be.

Each draws patches of 96^3 in batches of two with two workers. Flips, rotation, zoom and elastic
deformation have the same probabilities and strengths, gamma and noise as well. Where tools
leave a choice, the peer gets the cheaper one: MONAI's patch centres come from voxel lists that
are made once, its metadata is dropped, it takes two patches each time it copies a case, and
rotates and zooms with one transform, which spares it the samples that would have only one of
the two. Imports of peers stand inside.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from math import radians
from pathlib import Path
from typing import Any, Literal

import numpy as np
from monai import transforms as monai_transforms
from monai.data import CacheDataset, DataLoader, PersistentDataset

from benchmarks._augmentation_monai import monai_affine_transform, monai_elastic
from benchmarks._augmentation_setting import ROTATION_DEGREES, ZOOM, Setting
from benchmarks._loading_cases import CLASSES, KEYS, medseg_preparation, preparation
from medseg.data import CaseDataset, RandomDraws
from medseg.transforms import (
    Centres,
    Elastic,
    Flip,
    RandGammad,
    RandGaussianNoised,
    RandWarpPatchd,
    Rotation,
    WarpRanges,
    Zoom,
)

__all__ = ["BATCH", "PIPELINES", "WORKERS"]

SETTING = Setting(
    name="96^3", volume=(), patch=(96, 96, 96), control_spacing=12, max_displacement=4
)
BATCH = 2
WORKERS = 2
PROB = 0.3
FLIP_PROB = 0.5
FOREGROUND = 2 / 3
GAMMA = (0.7, 1.5)
NOISE_STD = 0.04

# Batches without end; the first one comes when all is prepared.
Batches = Iterator[Any]


def medseg(cases: list[dict], folder: Path, cache: Literal["memory", "disk"]) -> Batches:
    """CaseDataset, RandWarpPatchd."""
    dataset = CaseDataset(
        cases, medseg_preparation(), _medseg_steps(), cache=cache, cache_dir=folder / "medseg"
    )
    draws = RandomDraws(len(dataset), 10_000, seed=0)
    loader = DataLoader(dataset, sampler=draws, batch_size=BATCH, num_workers=WORKERS)
    return (batch["image"] for _ in count() for batch in loader)


def _medseg_steps() -> monai_transforms.Compose:
    warp = WarpRanges(
        flip=Flip(axes=(0, 1, 2), prob=FLIP_PROB),
        rotation=Rotation(degrees=ROTATION_DEGREES, prob=PROB),
        zoom=Zoom(low=ZOOM[0], high=ZOOM[1], prob=PROB),
        elastic=Elastic(
            max_displacement_mm=2 * SETTING.max_displacement,
            control_spacing_mm=SETTING.control_spacing,
            prob=PROB,
        ),
    )
    modes, centres = ("linear", "nearest"), Centres(foreground=FOREGROUND)
    return monai_transforms.Compose(
        [
            RandWarpPatchd(KEYS, SETTING.patch, (1, 1, 1), modes, warp=warp, centres=centres),
            RandGammad("image", GAMMA, PROB),
            RandGaussianNoised("image", (0, NOISE_STD), PROB),
        ]
    )


def monai(cases: list[dict], folder: Path, cache: Literal["memory", "disk"]) -> Batches:
    """CacheDataset or PersistentDataset, and the chain of the tutorials."""
    find = monai_transforms.ClassesToIndicesd(
        "label", num_classes=CLASSES, max_samples_per_class=20000
    )
    steps = preparation(find, monai_transforms.EnsureTyped(KEYS, track_meta=False), *_monai_steps())
    if cache == "memory":
        dataset = CacheDataset(cases, steps, num_workers=None, progress=False)
    else:
        dataset = PersistentDataset(cases, steps, cache_dir=folder / "monai")
        for case in range(len(cases)):
            dataset[case]
    loader = DataLoader(dataset, batch_size=1, shuffle=True, num_workers=WORKERS)
    return (batch["image"] for _ in count() for batch in loader)


def _monai_steps() -> list[Any]:
    crop = monai_transforms.RandCropByLabelClassesd(
        KEYS,
        "label",
        SETTING.patch,
        # The background's share is what is left of the foreground's.
        ratios=[1 - FOREGROUND, FOREGROUND / 2, FOREGROUND / 2],
        num_classes=CLASSES,
        num_samples=BATCH,
        indices_key="label_cls_indices",
        warn=False,
    )
    return [
        crop,
        monai_transforms.DeleteItemsd("label_cls_indices"),
        *(monai_transforms.RandFlipd(KEYS, FLIP_PROB, spatial_axis=axis) for axis in range(3)),
        monai_affine_transform(SETTING, prob=PROB),
        monai_elastic(SETTING, prob=PROB),
        monai_transforms.RandAdjustContrastd("image", PROB, GAMMA),
        monai_transforms.RandGaussianNoised("image", PROB, std=NOISE_STD),
    ]


def nnunet(cases: list[dict], folder: Path) -> Batches:
    """The nnUNetDataLoader with nnU-Net's own files, transforms and workers; elastic is on."""
    from batchgenerators.dataloading.nondet_multi_threaded_augmenter import (
        NonDetMultiThreadedAugmenter,
    )
    from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
    from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    stored = folder / "nnunet"
    _write_for_nnunet(cases, stored)
    angle = radians(ROTATION_DEGREES)
    loader = nnUNetDataLoader(
        nnUNetDatasetBlosc2(str(stored)),
        BATCH,
        get_patch_size(SETTING.patch, angle, angle, angle, (0.85, 1.25)),
        SETTING.patch,
        LabelManager({"background": 0, "bright": 1, "brightest": 2}, None),
        oversample_foreground_percent=FOREGROUND,
        probabilistic_oversampling=True,
        transforms=_nnunet_steps(),
    )
    augmenter = NonDetMultiThreadedAugmenter(
        loader, None, num_processes=WORKERS, num_cached=6, seeds=None, wait_time=0.002
    )
    return (batch["data"] for batch in augmenter)


def _write_for_nnunet(cases: list[dict], stored: Path) -> None:
    from nnunetv2.training.dataloading.nnunet_dataset import (
        comp_blosc2_params,
        nnUNetDatasetBlosc2,
    )

    stored.mkdir(exist_ok=True)
    new = [case for case in cases if not (stored / f"{case['case']}.pkl").exists()]
    for case in new:
        made = medseg_preparation()(case)
        image, label = made["image"].numpy(), made["label"].numpy().astype(np.int8)
        blocks, chunks = comp_blosc2_params(image.shape, SETTING.patch)
        # The lists have a column for the channel first.
        places = {
            value: np.pad(voxels, [(0, 0), (1, 0)])
            for value, voxels in made["class_voxels"].items()
        }
        nnUNetDatasetBlosc2.save_case(
            image,
            label,
            {"class_locations": places},
            str(stored / case["case"]),
            chunks=chunks,
            blocks=blocks,
        )


def _nnunet_steps() -> Any:
    from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
    from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
    from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
    from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
    from batchgeneratorsv2.transforms.utils.random import RandomTransform

    angle = radians(ROTATION_DEGREES)
    share = SETTING.sigma / SETTING.patch[0]
    warp = SpatialTransform(
        SETTING.patch,
        patch_center_dist_from_border=0,
        random_crop=False,
        p_elastic_deform=PROB,
        elastic_deform_scale=(share, share),
        elastic_deform_magnitude=(SETTING.max_displacement, SETTING.max_displacement),
        p_rotation=PROB,
        rotation=(-angle, angle),
        p_scaling=PROB,
        scaling=ZOOM,
        p_synchronize_scaling_across_axes=1,
        bg_style_seg_sampling=False,
        mode_seg="nearest",
        border_mode_seg="border",
        padding_mode_image="border",
    )
    gamma = GammaTransform(
        GAMMA, p_invert_image=0, synchronize_channels=True, p_per_channel=1, p_retain_stats=0
    )
    noise = GaussianNoiseTransform((0, NOISE_STD), p_per_channel=1, synchronize_channels=True)
    return ComposeTransforms(
        [
            warp,
            RandomTransform(gamma, PROB),
            RandomTransform(noise, PROB),
            MirrorTransform(allowed_axes=(0, 1, 2)),
        ]
    )


PIPELINES: dict[str, Callable[[list[dict], Path], Batches]] = {
    "medseg, memory": partial(medseg, cache="memory"),
    "medseg, disk": partial(medseg, cache="disk"),
    "MONAI, memory": partial(monai, cache="memory"),
    "MONAI, disk": partial(monai, cache="disk"),
    "nnU-Net, disk": nnunet,
}
