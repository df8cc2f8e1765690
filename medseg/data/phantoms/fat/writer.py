"""Writer of abdominal fat phantom data sets: slices, labels, manifest.

A patient has several slices, each a separate case as the recipe requires, and all of them in one
fold, since slices of one body are correlated.
"""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from medseg._checks import require_whole_number
from medseg.data.manifest import Case, Channel, Label, Manifest, save_manifest
from medseg.data.phantoms.fat.phantom import FAT_SHAPE, fat_phantom
from medseg.data.phantoms.files import (
    MOST_THREADS,
    digests,
    require_split,
    whole_folder,
    write_nifti,
)

__all__ = ["FatPhantomSet", "write_fat_phantoms"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FatPhantomSet:
    """Settings of a data set of abdominal fat phantoms.

    Attributes:
        patients: Number of patients in all.
        test_patients: Number of patients, the last ones, in the test split.
        slices: Number of slices per patient, at different levels.
        folds: Number of folds, to which the other patients are assigned in turn.
        seed: Random seed; slice n of patient m does not depend on the numbers above.
        shape: Pixels of each slice, 8 or more along both axes.
    """

    patients: int = 12
    test_patients: int = 2
    slices: int = 4
    folds: int = 2
    seed: int = 0
    shape: tuple[int, int] = FAT_SHAPE

    def __post_init__(self) -> None:
        """Check the settings; errors use the option names of the command line."""
        require_split(
            cases=self.patients, test_cases=self.test_patients, folds=self.folds, seed=self.seed
        )
        require_whole_number("slices", self.slices, at_least=1)


def write_fat_phantoms(folder: str | Path, phantoms: FatPhantomSet) -> Manifest:
    """Write a data set of abdominal fat phantoms with its `manifest.json`.

    Args:
        folder: Output folder; must be empty or not exist yet.
        phantoms: Settings of the set.

    Returns:
        The manifest, with digests by `medseg.data.digest.path_sha256`.

    Raises:
        DataError: If the folder is not empty or cannot be written.
        ValueError: If the shape is too small.
    """
    with whole_folder(folder) as unfinished:
        return _write_all(unfinished, phantoms)


def _write_all(folder: Path, phantoms: FatPhantomSet) -> Manifest:
    slices = list(product(range(phantoms.patients), range(phantoms.slices)))
    # NumPy and zlib release the GIL; each slice has its own random generator.
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        cases = list(pool.map(partial(_write_slice, folder, phantoms), slices))
    manifest = Manifest(
        name="abdominal_fat_phantoms",
        description="Fat images of abdominal Dixon MR made by formula, slice by slice: fat under "
        "the skin (sat) and between the organs (vat)",
        source=f"medseg.data.phantoms.fat.phantom, seed {phantoms.seed}",
        licence="CC0-1.0",
        citation="none",
        modality="MR",
        body_part="ABDOMEN",
        channels=(Channel(name="fat", unit="arbitrary"),),
        labels=(
            Label(value=0, name="background"),
            Label(value=1, name="sat", snomed="55603005", region="71966008"),
            Label(value=2, name="vat", snomed="55603005", region="818987002"),
        ),
        origin="phantoms",
        training=tuple(case for case in cases if case.fold is not None),
        test=tuple(case for case in cases if case.fold is None),
    )
    save_manifest(manifest, folder / "manifest.json")
    return manifest


def _write_slice(folder: Path, phantoms: FatPhantomSet, place: tuple[int, int]) -> Case:
    patient, number = place
    case = f"fat_{patient:03d}_{number:02d}"
    # Seeds of different sets must not collide: 1000 patients apart.
    phantom = fat_phantom(1000 * phantoms.seed + patient, number, shape=phantoms.shape)
    image, label = f"images/{case}.nii.gz", f"labels/{case}.nii.gz"
    write_nifti(folder / image, phantom.image, phantom.affine)
    write_nifti(folder / label, phantom.label, phantom.affine)
    logger.info("%s: SAT %.1f ml, VAT %.1f ml", case, phantom.sat_ml, phantom.vat_ml)
    tested = patient >= phantoms.patients - phantoms.test_patients
    return Case(
        case=case,
        patient=f"fat_{patient:03d}",
        image=image,
        label=label,
        fold=None if tested else patient % phantoms.folds,
        sha256=digests(folder, image, label),
    )
