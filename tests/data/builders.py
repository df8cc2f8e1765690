"""Small images, labels and data sets for the tests of `medseg.data` and `medseg data`."""

import nibabel as nib
import numpy as np

from medseg.data.manifest import Case, Channel, Label, Manifest, save_manifest

SHAPE = (6, 5, 4)
AFFINE = np.array([[2.0, 0, 0, -10], [0, 2.0, 0, 20], [0, 0, 2.5, 5], [0, 0, 0, 1]])
NAMES = ("background", "lung", "infection")


def write_nifti(path, array, affine=AFFINE, image_type=nib.Nifti1Image):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image_type(array, affine), path)
    return path


def an_image(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(-1000, 1000, shape).astype(np.int16)


def a_label(shape=SHAPE):
    """120 voxels: 2 of lung, 1 of infection, 117 of background."""
    label = np.zeros(shape, np.uint8)
    label[0, 0, :2] = 1
    label[1, 1, 1] = 2
    return label


def a_manifest(cases, **changes):
    about = {
        "name": "toy",
        "description": "Six small boxes",
        "source": "made for a test",
        "licence": "CC0-1.0",
        "citation": "none",
        "modality": "CT",
        "channels": (Channel(name="CT", unit="HU"),),
        "labels": tuple(Label(value=value, name=name) for value, name in enumerate(NAMES)),
        "training": tuple(cases),
    }
    return Manifest(**{**about, **changes})


def a_case(name, fold=0, **changes):
    about = {
        "case": name,
        "patient": name,
        "image": f"images/{name}.nii.gz",
        "label": f"labels/{name}.nii.gz",
        "fold": fold,
    }
    return Case(**{**about, **changes})


def write_dataset(folder, names=("a", "b")):
    """A sound data set: each case in a fold of its own, manifest.json beside the images."""
    for seed, name in enumerate(names):
        write_nifti(folder / f"images/{name}.nii.gz", an_image(seed))
        write_nifti(folder / f"labels/{name}.nii.gz", a_label())
    manifest = a_manifest(a_case(name, fold) for fold, name in enumerate(names))
    save_manifest(manifest, folder / "manifest.json")
    return manifest
