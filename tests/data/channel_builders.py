"""Patients with a PET and an MR, each in a grid of its own, and a ball as the tumour."""

import nibabel as nib
import numpy as np

# Voxels of 5 mm and of 2 x 2 x 4 mm, both around the same point, the MR a little smaller.
PET = np.diag([-5.0, -5.0, 5.0, 1.0])
MR = np.diag([2.0, 2.0, 4.0, 1.0])
PET_SHAPE, MR_SHAPE = (14, 14, 12), (32, 32, 14)


def centred(affine, shape, at=(0.0, 0.0, 0.0)):
    """The affine moved so that the middle of the volume lies at a point."""
    moved = affine.copy()
    moved[:3, 3] = np.asarray(at) - affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return moved


def distance_mm(affine, shape, at=(0.0, 0.0, 0.0)):
    places = np.stack([*np.indices(shape), np.ones(shape)])
    return np.linalg.norm(
        np.tensordot(affine[:3], places, 1) - np.reshape(at, (3, 1, 1, 1)), axis=0
    )


def save(path, array, affine):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


def write_patient(folder, seed=0, at=(0.0, 0.0, 0.0)):
    """`pet.nii.gz`, `mr.nii.gz` and `mask.nii.gz`, the mask in the PET's grid."""
    rng = np.random.default_rng(seed)
    pet, mr = centred(PET, PET_SHAPE, at), centred(MR, MR_SHAPE, at)
    hot = distance_mm(pet, PET_SHAPE, at) < 15
    dark = distance_mm(mr, MR_SHAPE, at) < 15
    uptake = np.where(hot, 6.0, 1.0) + rng.normal(0, 0.2, PET_SHAPE)
    signal = np.where(dark, 300.0, 700.0) + rng.normal(0, 20, MR_SHAPE)
    save(folder / "pet.nii.gz", uptake.astype(np.float32), pet)
    save(folder / "mr.nii.gz", signal.astype(np.int16), mr)
    save(folder / "mask.nii.gz", hot.astype(np.uint8), pet)
    return folder


def write_patients(folder, count=4):
    """Patients `p1`, `p2`, ..., each a metre from the next."""
    for number in range(1, count + 1):
        write_patient(folder / f"p{number}", number, (1000.0 * number, 0.0, 0.0))
    return folder
