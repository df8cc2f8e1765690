"""Made CTs for the loading benchmark: files as a training gets them, and how they are prepared."""

from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai import transforms as monai_transforms
from torch.nn.functional import interpolate

from medseg.transforms import ClassVoxelsd

__all__ = ["CLASSES", "KEYS", "preparation", "write_cases"]

KEYS = ("image", "label")
CLASSES = 3


def write_cases(folder: Path, count: int, shape: tuple[int, ...], suffix: str) -> list[dict]:
    """Write cases that are not there yet: smooth tissue with noise, two classes of bright spots.

    Args:
        folder: Where the files go.
        count: Number of cases.
        shape: Voxels of 1 mm.
        suffix: `.nii` or `.nii.gz`.

    Returns:
        A dictionary a case, for MONAI's and medseg's data sets.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"case_{number:03d}" for number in range(count)]
    cases = [
        {"case": name, **{key: str(folder / f"{name}_{key}{suffix}") for key in KEYS}}
        for name in names
    ]
    for number, case in enumerate(cases):
        if not Path(case["label"]).exists():
            for key, array in zip(KEYS, _volumes(number, shape), strict=True):
                nib.save(nib.Nifti1Image(array, np.eye(4)), case[key])
    return cases


def _volumes(seed: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 1, *(max(4, n // 24) for n in shape), generator=rng)
    smooth = interpolate(coarse, size=shape, mode="trilinear")[0, 0]
    label = (smooth > 0.8).to(torch.uint8) + (smooth > 1.2).to(torch.uint8)
    hounsfield = (smooth * 300 - 300).clamp_(-1000, 1500)
    # The noise of a chest CT is some 25 HU.
    hounsfield += 25 * torch.randn(shape, generator=rng)
    return hounsfield.round_().to(torch.int16).numpy(), label.numpy()


def preparation(*more: object) -> monai_transforms.Compose:
    """Read and window; what comes after differs from tool to tool."""
    return monai_transforms.Compose(
        [
            monai_transforms.LoadImaged(
                KEYS, reader="NibabelReader", image_only=True, ensure_channel_first=True
            ),
            monai_transforms.ScaleIntensityRanged("image", -1000, 1000, 0.0, 1.0, clip=True),
            *more,
        ]
    )


def medseg_preparation() -> monai_transforms.Compose:
    """With lists of voxels by class for patch centres."""
    return preparation(ClassVoxelsd("label"))
