"""Weights for the inference benchmark that are sure of its images, as they were trained on them.

    python -m benchmarks.inference_weights [--folder runs/inference] [--epochs 30] [--rounds 2]
        [--depth 3]

Where a network is unsure, rounding and the place of windows decide its labels, and agreement
between tools says more of the network than of the tools. So it learns the benchmark's two images
by heart: of lung1-001 lungs, and the tumour as infection; of the phantom lung and infection. And
it has three levels: with four, each voxel answers to the zeros beyond its window's faces, and
tools lay windows differently.
The data are non-commercial: such weights stay on the machine, and are good for nothing else.
Each round begins with the weights of the one before and half its learning rate. Then:
`python -m benchmarks.inference --weights FOLDER/sure/2/models/model.safetensors`.
"""

import argparse
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from benchmarks._inference_cases import SEED, case_image
from medseg.bundles.run import run_bundle
from medseg.data.manifest import Case, Channel, Label, Manifest, save_manifest
from medseg.data.phantoms.chest.phantom import chest_phantom

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "covid_lung_ct_unet3d"
SHAPE = (512, 512, 300)
# Of lung1-001: left and right lung, spinal cord, tumour.
TO_CLASSES = np.array([0, 1, 1, 0, 2], np.uint8)


def main() -> None:
    """Make the data set and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/inference"))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--depth", type=int, default=3)
    options = parser.parse_args()
    data = data_set(options.folder)
    for number in range(1, 1 + options.rounds):
        train(data, options.folder / "sure", number, options)


def data_set(folder: Path) -> Path:
    """The benchmark's images with references, and a small phantom to validate on."""
    lung, phantom = case_image("lung", folder, SHAPE), case_image("phantom", folder, SHAPE)
    data = folder / "sure" / "data"
    data.mkdir(parents=True, exist_ok=True)
    reference = nibabel.load(lung.with_name("lung1-001_labels_256.nii.gz"))
    values = TO_CLASSES[np.asarray(reference.dataobj).astype(int)]
    write(data / "lung_label.nii.gz", values, reference.affine)
    if not (data / "phantom_label.nii.gz").is_file():  # minutes
        made = chest_phantom(SEED, shape=SHAPE, orientation="LPS")
        write(data / "phantom_label.nii.gz", made.label, made.affine)
    small = chest_phantom(SEED + 1)
    write(data / "small_label.nii.gz", small.label, small.affine)
    write(data / "small.nii.gz", small.image, small.affine)
    for name, image in (("lung", lung), ("phantom", phantom)):
        link = data / f"{name}.nii.gz"
        link.unlink(missing_ok=True)
        link.symlink_to(image.resolve())
    save_manifest(manifest(), data / "manifest.json")
    return data


def manifest() -> Manifest:
    """Two cases to train on, one to validate."""
    cases = [case(name, fold) for name, fold in (("lung", 1), ("phantom", 1), ("small", 0))]
    names = ("background", "lung", "infection")
    return Manifest(
        name="inference_benchmark",
        description="The images of benchmarks/inference.py, to be learnt by heart",
        source="NSCLC-Radiomics LUNG1-001 and medseg.data.phantoms.chest.phantom",
        licence="CC BY-NC 3.0",
        citation="doi:10.7937/K9/TCIA.2015.PF0M9REI",
        modality="CT",
        channels=(Channel(name="CT", unit="HU", window=(-1000.0, 200.0)),),
        labels=tuple(Label(value=value, name=name) for value, name in enumerate(names)),
        training=tuple(cases),
    )


def case(name: str, fold: int) -> Case:
    """Image and reference side by side."""
    image, label = f"{name}.nii.gz", f"{name}_label.nii.gz"
    return Case(case=name, patient=name, image=image, label=label, fold=fold)


def train(data: Path, folder: Path, number: int, options: argparse.Namespace) -> None:
    """A round: patches as they are, from everywhere; its last weights are the only ones kept."""
    before = folder / str(number - 1) / "models" / "model.safetensors"
    loading = {
        "_target_": "medseg.networks.load_weights",
        "_disabled_": number == 1,
        "network": "@network",
        "path": str(before),
    }
    patch: dict[str, Any] = {
        "_target_": "medseg.transforms.RandWarpPatchd",
        "keys": ["image", "label"],
        "patch_size": "@patch_size",
        "spacing_mm": "@spacing_mm",
        "modes": ["linear", "nearest"],
        "centres": {"_target_": "medseg.transforms.Centres", "foreground": 0.5},
        "warp": {"_target_": "medseg.transforms.WarpRanges"},
    }
    run_bundle(
        BUNDLE,
        configs=["train"],
        run_id="training",
        overrides={
            "dataset_dir": str(data),
            "output_dir": str(folder / str(number)),
            "initialize": [{"_target_": "medseg.bundles.explain_errors"}, loading],
            "overwrite": "replace",
            "epochs": options.epochs,
            "val_interval": options.epochs,
            "spacing_mm": [2.0, 2.0, 2.0],
            "patch_size": [80, 80, 48],
            "depth": options.depth,
            "kernel_sizes": [[3, 3, 1], [3, 3, 1], *[3] * (options.depth - 2)],
            "norm_kind": "batch",
            "memory_format": "channels_last_3d",
            "schedule": "polynomial",
            "seed": number,
            "learning_rate": 0.004 / 2 ** (number - 1),
            "fn_weight": 0.5,
            "fp_weight": 0.5,
            "augmentation_steps": [patch],
        },
    )


def write(path: Path, voxels: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """As NIfTI."""
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)


if __name__ == "__main__":
    main()
