"""Files of phantom data sets: check of the split, atomic folder, NIfTI writing.

A set is written under a temporary name and renamed when complete. The same set gives the same bytes
on the same machine; another processor may round a few voxels differently, by one.
"""

import gzip
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg._checks import require_whole_number
from medseg.data.digest import path_sha256
from medseg.errors import DataError, UsageError

__all__ = ["MOST_THREADS", "digests", "require_split", "whole_folder", "write_nifti"]

# Each thread needs about 200 MB to make a phantom.
MOST_THREADS = 4


def require_split(*, cases: int, test_cases: int, folds: int, seed: int) -> None:
    """Check the split of a set; errors use the option names of the command line.

    Raises:
        UsageError: If a number is out of its range or a fold would stay empty.
    """
    require_whole_number("folds", folds, at_least=1)
    require_whole_number("seed", seed, at_least=0)
    if test_cases < 0 or cases - test_cases < folds:
        raise UsageError(
            f"cases must leave one a fold after the test cases, got {cases} cases, "
            f"{test_cases} test cases and {folds} folds"
        )


@contextmanager
def whole_folder(folder: str | Path) -> Generator[Path]:
    """Context manager of a folder with `images` and `labels`, which appears whole or not at all.

    Args:
        folder: Final folder; must be empty or not exist yet.

    Raises:
        DataError: If the folder is not empty or cannot be written.
    """
    folder = Path(folder).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: exists and is not empty; name another folder or remove it")
    unfinished = folder.with_name(f".{os.getpid()}.{folder.name}")
    try:
        unfinished.mkdir(parents=True)
        for name in ("images", "labels"):
            (unfinished / name).mkdir()
        yield unfinished
        if folder.exists():
            folder.rmdir()
        unfinished.replace(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot write here ({error.strerror}); name another folder"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_nifti(
    path: Path, voxels: NDArray[np.int16] | NDArray[np.uint8], affine: NDArray[np.float64]
) -> None:
    """Write voxels with their affine; equal voxels give equal bytes."""
    image = cast("Any", nib.Nifti1Image(voxels, affine))
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    image.header.set_xyzt_units("mm")
    # mtime=0: a timestamp would make equal files differ.
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=3, mtime=0))


def digests(folder: Path, image: str, label: str) -> dict[Any, str]:
    """SHA-256 of a case's files, for the manifest."""
    return {"image": path_sha256(folder / image), "label": path_sha256(folder / label)}
