"""Writer of chest phantom data sets: images, labels, manifest."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from medseg.data.dicom.ct_writer import write_ct_series
from medseg.data.manifest import Case, Channel, Label, Manifest, save_manifest
from medseg.data.phantoms.chest.phantom import SHAPE, chest_phantom
from medseg.data.phantoms.file_format import FileFormat
from medseg.data.phantoms.files import (
    MOST_THREADS,
    digests,
    require_split,
    whole_folder,
    write_nifti,
)

__all__ = ["PhantomSet", "write_phantoms"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PhantomSet:
    """Settings of a data set of chest phantoms.

    Attributes:
        cases: Number of cases in all; each is a separate patient.
        test_cases: Number of cases, the last ones, in the test split.
        folds: Number of folds, to which the other cases are assigned in turn.
        seed: Random seed; case n does not depend on the numbers above.
        file_format: Format of the images; labels are NIfTI in the same grid.
        shape: Voxels of each image, 8 or more along every axis.
    """

    cases: int = 12
    test_cases: int = 2
    folds: int = 2
    seed: int = 0
    file_format: FileFormat = "nifti"
    shape: tuple[int, int, int] = SHAPE

    def __post_init__(self) -> None:
        """Check the settings; errors use the option names of the command line."""
        require_split(
            cases=self.cases, test_cases=self.test_cases, folds=self.folds, seed=self.seed
        )


def write_phantoms(folder: str | Path, phantoms: PhantomSet) -> Manifest:
    """Write a data set of chest phantoms with its `manifest.json`.

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


def _write_all(folder: Path, phantoms: PhantomSet) -> Manifest:
    # NumPy and zlib release the GIL; each case has its own random generator.
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        cases = list(pool.map(partial(_write_case, folder, phantoms), range(phantoms.cases)))
    trained = phantoms.cases - phantoms.test_cases
    manifest = Manifest(
        name="chest_phantoms",
        description="Chest CT made by formula: lungs with ground glass and consolidation",
        source=f"medseg.data.phantoms.chest.phantom, seed {phantoms.seed}",
        licence="CC0-1.0",
        citation="none",
        modality="CT",
        body_part="CHEST",
        channels=(Channel(name="CT", unit="HU", window=(-1000, 200)),),
        labels=(
            Label(value=0, name="background"),
            Label(value=1, name="lung", snomed="39607008"),
            Label(value=2, name="infection", snomed="52988006", region="39607008"),
        ),
        origin="phantoms",
        training=tuple(cases[:trained]),
        test=tuple(cases[trained:]),
    )
    save_manifest(manifest, folder / "manifest.json")
    return manifest


def _write_case(folder: Path, phantoms: PhantomSet, number: int) -> Case:
    case = f"phantom_{number:03d}"
    # Seeds of different sets must not collide: 1000 cases apart.
    phantom = chest_phantom(1000 * phantoms.seed + number, shape=phantoms.shape)
    label = f"labels/{case}.nii.gz"
    if phantoms.file_format == "nifti":
        image = f"images/{case}.nii.gz"
        write_nifti(folder / image, phantom.image, phantom.affine)
    else:
        # Readers stack slices to right-handed axes.
        if np.linalg.det(phantom.affine) < 0:
            phantom = phantom.flipped(2)
        image = f"images/{case}"
        (folder / image).mkdir()
        write_ct_series(folder / image, phantom.image, phantom.affine, case=case)
    write_nifti(folder / label, phantom.label, phantom.affine)
    logger.info("%s: %d foci of infection", case, len(phantom.lesions))
    return Case(
        case=case,
        patient=case,
        image=image,
        label=label,
        fold=number % phantoms.folds if number < phantoms.cases - phantoms.test_cases else None,
        sha256=digests(folder, image, label),
    )
