"""One large volume: reading it, and patches of it from the disk cache, each in its own process.

    python -m benchmarks._loading_disk STEP FOLDER [--samples N]

Prints one line of JSON: median milliseconds, and by how many megabytes the process grew at its
peak after its imports.
"""

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai import transforms as monai_transforms

from benchmarks._loading_cases import KEYS, medseg_preparation, write_cases
from medseg.data import CaseDataset
from medseg.data.cases.draws import Draw
from medseg.transforms import RandWarpPatchd

SHAPE = (512, 512, 600)
PATCH = (96, 96, 96)


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    before = _peak_mb()
    times = list(STEPS[options.step](options.folder, options.samples))
    # The first one opens files and imports what is imported late; the peak counts it too.
    median = statistics.median(times[1:] or times)
    print(
        json.dumps({"ms": 1000 * median, "grown_mb": _peak_mb() - before, "first": 1000 * times[0]})
    )


def prepare(folder: Path, samples: int) -> Iterator[float]:
    """Make the volume and its entry in the cache."""
    del samples
    for suffix in (".nii", ".nii.gz"):
        write_cases(folder / suffix, 1, SHAPE, suffix)
    yield timed(lambda: _dataset(folder))


def nifti(folder: Path, samples: int, suffix: str) -> Iterator[float]:
    """Read the image as it is stored: the least that any reader does."""
    path = folder / suffix / f"case_000_image{suffix}"
    for _ in range(samples):
        yield timed(lambda: np.array(nib.load(path).dataobj))


def monai(folder: Path, samples: int, suffix: str) -> Iterator[float]:
    """Read the image as MONAI does, into 32-bit floating point."""
    load = monai_transforms.LoadImage("NibabelReader", image_only=True, ensure_channel_first=True)
    for _ in range(samples):
        yield timed(lambda: load(folder / suffix / f"case_000_image{suffix}"))


def patches(folder: Path, samples: int) -> Iterator[float]:
    """Patches of image and label through the data set, with the files in the page cache."""
    dataset = _dataset(folder)
    for number in range(samples):
        yield timed(lambda number=number: dataset[Draw(0, number)])


def cold_patches(folder: Path, samples: int) -> Iterator[float]:
    """The same, with the files dropped from the page cache before each."""
    dataset = _dataset(folder)
    for number in range(samples):
        for path in (folder / "cache").glob("*/*"):
            _forget(path)
        yield timed(lambda number=number: dataset[Draw(0, number)])


STEPS: dict[str, Callable[[Path, int], Iterator[float]]] = {
    "prepare": prepare,
    "nii": lambda folder, samples: nifti(folder, samples, ".nii"),
    "nii.gz": lambda folder, samples: nifti(folder, samples, ".nii.gz"),
    "monai nii": lambda folder, samples: monai(folder, samples, ".nii"),
    "monai nii.gz": lambda folder, samples: monai(folder, samples, ".nii.gz"),
    "patches": patches,
    "cold patches": cold_patches,
}


def timed(work: Callable[[], object]) -> float:
    """Wall seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _dataset(folder: Path) -> CaseDataset:
    cases = write_cases(folder / ".nii.gz", 1, SHAPE, ".nii.gz")
    crop = RandWarpPatchd(KEYS, PATCH, (1, 1, 1), ("linear", "nearest"))
    return CaseDataset(
        cases, medseg_preparation(), crop, cache="disk", cache_dir=folder / "cache", seed=1
    )


def _forget(path: Path) -> None:
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
