"""MONAI's ways to a warped patch, each at its cheapest; see `_augmentation_tools.py`."""

from math import pi, radians, sqrt
from typing import Any

import torch
from monai import transforms as monai_transforms
from torch import Tensor

from benchmarks._augmentation_setting import (
    CLASSES,
    KEYS,
    ROTATION_DEGREES,
    ZOOM,
    Case,
    Sampler,
    Setting,
)

__all__ = ["MAKERS", "monai_affine_transform", "monai_elastic", "monai_warp"]

MODES = ("bilinear", "nearest")


def one_resampling(case: Case, setting: Setting) -> Sampler:
    """Crop nnU-Net's larger patch, then one transform that does all: MONAI's cheapest way."""
    crop = monai_transforms.RandSpatialCropd(KEYS, setting.enlarged, random_size=False)
    return _monai(case, [crop, monai_warp(setting)])


def monai_warp(setting: Setting, **more: Any) -> Any:
    """One MONAI transform with the affine map and, if it is on, the deformation."""
    if setting.elastic == "off":
        return monai_affine_transform(setting, **more)
    return monai_elastic(setting, **_monai_affine(setting), **more)


def chain(case: Case, setting: Setting) -> Sampler:
    """Crop the patch, RandAffined, elastic: the chain of the tutorials."""
    crop = monai_transforms.RandSpatialCropd(KEYS, setting.patch, random_size=False)
    return _monai(case, [crop, *_monai_steps(setting)])


def class_chain(case: Case, setting: Setting) -> Sampler:
    """The same with the patch's centre drawn by class; the classes were looked up before."""
    find = monai_transforms.ClassesToIndicesd("label", num_classes=CLASSES)
    indices = find({"label": torch.from_numpy(case.label)})["label_cls_indices"]
    crop = monai_transforms.RandCropByLabelClassesd(
        KEYS, "label", setting.patch, num_classes=CLASSES, indices_key="indices"
    )
    return _monai(case, [crop, *_monai_steps(setting)], indices=indices)


def alone(case: Case, setting: Setting) -> Sampler:
    """RandAffined and elastic on a patch that is cropped already."""
    corner = (slice(None), *(slice(n) for n in setting.patch))
    return _monai(Case(case.image[corner], case.label[corner]), _monai_steps(setting))


MAKERS = {
    "MONAI, larger crop, one resampling": one_resampling,
    "MONAI, `RandSpatialCropd` + chain": chain,
    "MONAI, `RandCropByLabelClassesd` + chain": class_chain,
    "MONAI, chain without the crop": alone,
}


def _monai(case: Case, steps: list[Any], **more: Any) -> Sampler:
    steps_in_turn = monai_transforms.Compose(steps).set_random_state(0)
    image, label = torch.from_numpy(case.image), torch.from_numpy(case.label)
    data = {"image": image, "label": label, **more}

    def sample() -> tuple[Tensor, Tensor]:
        drawn = steps_in_turn(data)
        drawn = drawn[0] if isinstance(drawn, list) else drawn
        return drawn["image"], drawn["label"]

    return sample


def _monai_steps(setting: Setting) -> list[Any]:
    elastic = [monai_elastic(setting)] if setting.elastic == "on" else []
    return [monai_affine_transform(setting), *elastic]


def _monai_affine(setting: Setting) -> dict[str, Any]:
    axes = len(setting.patch)
    return {
        "rotate_range": [radians(ROTATION_DEGREES)] * (3 if axes == 3 else 1),
        "scale_range": [(ZOOM[0] - 1, ZOOM[1] - 1)] * axes,
        "spatial_size": setting.patch,
    }


def monai_affine_transform(setting: Setting, **more: Any) -> Any:
    """RandAffined at the setting's ranges; `more` overrides its arguments."""
    ranges = {"prob": 1, **_monai_affine(setting), **more}
    return monai_transforms.RandAffined(
        KEYS, mode=MODES, padding_mode="border", cache_grid=True, **ranges
    )


def monai_elastic(setting: Setting, **more: Any) -> Any:
    """Rand2DElasticd or Rand3DElasticd as strong as the setting; `more` overrides arguments."""
    kind: dict[str, Any] = {"prob": 1, "mode": MODES, "padding_mode": "border", **more}
    if len(setting.patch) == 2:
        reach = (setting.max_displacement,) * 2
        return monai_transforms.Rand2DElasticd(KEYS, (setting.control_spacing,) * 2, reach, **kind)
    # Smoothing white noise leaves little of it: this much has the B-spline's mean displacement.
    spread = setting.max_displacement * sqrt(151 / 315) ** 3
    magnitude = spread * sqrt(2 * sqrt(pi) * setting.sigma) ** 3
    sigma = (setting.sigma, setting.sigma)
    return monai_transforms.Rand3DElasticd(KEYS, sigma, (magnitude, magnitude), **kind)
