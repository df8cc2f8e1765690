"""What the inference benchmark predicts: a real chest, a phantom, one too large for most."""

import os
from pathlib import Path
from typing import Any, Literal, cast

import nibabel
import numpy as np
import torch
from monai.transforms import CenterSpatialCrop, Compose, LoadImage, Spacing
from numpy.typing import NDArray

from medseg.data.phantoms.chest.phantom import chest_phantom
from medseg.networks import UNet, save_weights

__all__ = ["CaseName", "case_image", "large_image", "random_weights"]

CaseName = Literal["lung", "phantom", "lung-2mm", "lung-aligned"]

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
LUNG = "chest_ct/lung1-001/lung1-001_ct_256.nii.gz"
SEED = 1


def case_image(case: CaseName, folder: Path, shape: tuple[int, int, int]) -> Path:
    """Where a case's image lies; a phantom is made on the first call and kept.

    Args:
        case: `lung` is a patient of NSCLC-Radiomics, under `$MEDSEG_DATA` or `../shared/data`;
            `lung-2mm` the same, brought to 2 mm beforehand, so that no tool has to;
            `lung-aligned` that, cut to 96 + 48 n voxels along each axis, where windows of 96
            with an overlap of a half begin at the same voxels in every tool.
        folder: Where phantoms are kept.
        shape: Of the phantom.
    """
    if case != "phantom":
        path = Path(os.environ.get("MEDSEG_DATA", BESIDE)) / LUNG
        if not path.is_file():
            raise SystemExit(f"{path}: not there; set MEDSEG_DATA, or take --case phantom")
        return path if case == "lung" else _resampled(path, folder, aligned=case == "lung-aligned")
    path = folder / f"phantom_{_joined(shape)}.nii.gz"
    if not path.is_file():
        phantom = chest_phantom(SEED, shape=shape, orientation="LPS")
        _write(path, phantom.image, phantom.affine)
    return path


def large_image(folder: Path, shape: tuple[int, int, int]) -> Path:
    """A chest of many voxels: a small phantom with each voxel repeated, for memory only.

    Args:
        folder: Where it is kept.
        shape: Multiples of 4 along each axis.
    """
    path = folder / f"large_{_joined(shape)}.nii.gz"
    if not path.is_file():
        small = chest_phantom(SEED, shape=(shape[0] // 4, shape[1] // 4, shape[2] // 4))
        image = small.image
        for axis in range(3):
            image = image.repeat(4, axis=axis)
        _write(path, image, small.affine @ np.diag([0.25, 0.25, 0.25, 1]))
    return path


def random_weights(folder: Path, *, width: int, classes: int) -> Path:
    """Weights of a network that was never trained, always the same."""
    path = folder / f"random_{width}_{classes}.safetensors"
    torch.manual_seed(0)
    names = ["background", *(f"class {value}" for value in range(1, classes))]
    # What the bundle's config asks its weights for.
    settings = {"class_names": names, "first_width": width, "window": [-1000.0, 200.0]}
    save_weights(UNet(3, 1, classes, depth=4, first_width=width), path, settings)
    return path


def _resampled(source: Path, folder: Path, *, aligned: bool) -> Path:
    path = folder / f"lung1-001_2mm{'_aligned' if aligned else ''}.nii.gz"
    if not path.is_file():
        steps = Compose([LoadImage("NibabelReader", ensure_channel_first=True), Spacing(2.0)])
        image = cast("Any", steps(source))
        if aligned:
            whole = [96 + (size - 96) // 48 * 48 for size in image.shape[1:]]
            image = CenterSpatialCrop(whole)(image)
        _write(path, np.asarray(image[0]), np.asarray(image.affine))
    return path


def _joined(shape: tuple[int, int, int]) -> str:
    return "x".join(map(str, shape))


def _write(path: Path, voxels: NDArray[Any], affine: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    nibabel.save(nibabel.Nifti1Image(voxels, affine), unfinished)
    unfinished.replace(path)
