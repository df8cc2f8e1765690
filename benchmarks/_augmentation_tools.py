"""One warped patch of image and label from each tool, at settings as equal as they can be.

Every maker takes a case and a setting and returns a function that draws one sample. Imports
of peers stand inside, so that a tool that is not installed is left out, by name.
"""

from collections.abc import Callable
from math import radians

import numpy as np
import torch
from torch import Tensor

from benchmarks import _augmentation_monai as monai
from benchmarks._augmentation_setting import KEYS, ROTATION_DEGREES, ZOOM, Case, Sampler, Setting
from medseg.transforms import (
    Elastic,
    RandWarpPatchd,
    Rotation,
    WarpRanges,
    Zoom,
    list_class_voxels,
)

__all__ = ["MAKERS", "warp_ranges"]


def medseg(case: Case, setting: Setting) -> Sampler:
    """RandWarpPatchd: centre by class, crop, affine map and deformation in one resampling."""
    spacing_mm = [1.0] * len(setting.patch)
    step = RandWarpPatchd(
        KEYS, setting.patch, spacing_mm, ("linear", "nearest"), warp=warp_ranges(setting)
    )
    step.set_random_state(0)
    voxels = list_class_voxels(case.label[0], max_voxels=20000)
    data = {"image": case.image, "label": case.label, "class_voxels": voxels}

    def sample() -> tuple[Tensor, Tensor]:
        drawn = step(data)
        return drawn["image"], drawn["label"]

    return sample


def warp_ranges(setting: Setting) -> WarpRanges:
    """The setting in medseg's words."""
    elastic = Elastic(
        # Each patch draws its own strength, half of the greatest in the mean; peers draw none.
        max_displacement_mm=2 * setting.max_displacement,
        control_spacing_mm=setting.control_spacing,
        prob=1,
    )
    return WarpRanges(
        rotation=Rotation(degrees=ROTATION_DEGREES, prob=1),
        zoom=Zoom(low=ZOOM[0], high=ZOOM[1], prob=1),
        elastic=elastic if setting.elastic == "on" else None,
    )


def batchgeneratorsv2(case: Case, setting: Setting) -> Sampler:
    """nnU-Net's way: a larger patch is cropped, SpatialTransform takes the final one."""
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform

    angle = radians(ROTATION_DEGREES)
    share = setting.sigma / setting.patch[0]
    step = SpatialTransform(
        setting.patch,
        patch_center_dist_from_border=0,
        random_crop=False,
        p_elastic_deform=1 if setting.elastic == "on" else 0,
        elastic_deform_scale=(share, share),
        elastic_deform_magnitude=(setting.max_displacement, setting.max_displacement),
        p_rotation=1,
        rotation=(-angle, angle),
        p_scaling=1,
        scaling=ZOOM,
        p_synchronize_scaling_across_axes=1,
        mode_seg="nearest",
        border_mode_seg="border",
        padding_mode_image="border",
    )
    rng = np.random.default_rng(0)

    def sample() -> tuple[Tensor, Tensor]:
        window = _window(rng, setting.volume, setting.enlarged)
        image = torch.from_numpy(case.image[window])
        label = torch.from_numpy(case.label[window])
        drawn = step(image=image, segmentation=label)
        return drawn["image"], drawn["segmentation"]

    return sample


def torchio(case: Case, setting: Setting) -> Sampler:
    """Crop the patch, RandomAffine, RandomElasticDeformation; patches in 2-D are one slice."""
    import torchio as tio

    flat = len(setting.patch) == 2
    cells = [n // setting.control_spacing for n in setting.patch] + [1] * flat
    degrees = (0, 0, ROTATION_DEGREES) if flat else ROTATION_DEGREES
    steps = [tio.RandomAffine(scales=ZOOM, degrees=degrees, isotropic=True, copy=False)]
    if setting.elastic == "on":
        points = tuple(c + 3 for c in cells)
        reach = (setting.max_displacement,) * 2 + (0 if flat else setting.max_displacement,)
        steps.append(
            tio.RandomElasticDeformation(
                num_control_points=points, max_displacement=reach, locked_borders=0, copy=False
            )
        )
    rng = np.random.default_rng(0)

    def sample() -> tuple[Tensor, Tensor]:
        window = _window(rng, setting.volume, setting.patch)
        window = (*window, None) if flat else window
        subject = tio.Subject(
            image=tio.ScalarImage(tensor=torch.from_numpy(case.image[window])),
            label=tio.LabelMap(tensor=torch.from_numpy(case.label[window])),
        )
        for step in steps:
            subject = step(subject)
        image, label = subject["image"].data, subject["label"].data
        return (image[..., 0], label[..., 0]) if flat else (image, label)

    return sample


MAKERS: dict[str, Callable[[Case, Setting], Sampler]] = {
    "medseg `RandWarpPatchd`": medseg,
    **monai.MAKERS,
    "batchgeneratorsv2 `SpatialTransform`": batchgeneratorsv2,
    "TorchIO": torchio,
}


def _window(
    rng: np.random.Generator, volume: tuple[int, ...], size: tuple[int, ...]
) -> tuple[slice, ...]:
    room = np.subtract(volume, size) + 1
    starts = rng.integers(room)
    return (slice(None), *(slice(a, a + n) for a, n in zip(starts, size, strict=True)))
