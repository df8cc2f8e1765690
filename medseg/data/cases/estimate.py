"""Expected size of a cache, estimated from two prepared cases and the headers of all.

The packed size of a case goes with its number of voxels or, where a recipe resamples to a fixed
spacing, with its volume in millimetres. The two cases whose voxels differ most in size are
prepared first, and whichever goes with both of them is taken for all. So whatever a recipe
adds or crops is counted, and how well the voxels compress. The size is logged before the cache
is filled, and a cache that cannot fit is refused.
"""

import logging
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.cases.case_digest import entry_files
from medseg.data.cases.free_memory import available_bytes
from medseg.data.images.naming import is_nifti
from medseg.data.images.nifti import read_nifti_place
from medseg.errors import MachineError

__all__ = [
    "CaseSize",
    "Extents",
    "announce_disk",
    "announce_memory",
    "bytes_text",
    "estimate",
    "read_extents",
    "representative_cases",
]

logger = logging.getLogger(__name__)


# The rest is for the network, the workers, and the cases while they are prepared.
MEMORY_SHARE = 0.8


@dataclass(frozen=True)
class CaseSize:
    """What prepared cases take.

    Attributes:
        voxels: Of the images.
        ram_bytes: Packed, in memory.
        disk_bytes: Packed and compressed.
    """

    voxels: int
    ram_bytes: int
    disk_bytes: int

    @classmethod
    def total(cls, sizes: Iterable["CaseSize"]) -> "CaseSize":
        """Of several cases together."""
        each = [(size.voxels, size.ram_bytes, size.disk_bytes) for size in sizes]
        return cls(*map(sum, zip(*each, strict=True)))


@dataclass(frozen=True)
class Extents:
    """How large the images of cases are, before preparation.

    Attributes:
        voxels: `(cases,)`.
        volume_mm3: `(cases,)`.
    """

    voxels: NDArray[np.float64]
    volume_mm3: NDArray[np.float64]


def read_extents(cases: Sequence[Mapping[str, Any]]) -> Extents:
    """Read the headers of all images, without their voxels.

    Where not all are NIfTI, the size of the files stands for both: it goes with the number of
    voxels for formats without compression, and about so for others.

    Raises:
        DataError: If a header is damaged.
    """
    images = [entry_files(case.get("image")) for case in cases]
    if all(files and all(map(is_nifti, files)) for files in images):
        facts = [np.sum([_header(file) for file in files], axis=0) for files in images]
    else:
        sizes = [sum(file.stat().st_size for file in files) for files in images]
        facts = [(max(size, 1), max(size, 1)) for size in sizes]
    voxels, volume_mm3 = np.array(facts, dtype=np.float64).T
    return Extents(voxels, volume_mm3)


def _header(path: Path) -> tuple[float, float]:
    shape, affine = read_nifti_place(path)
    voxels = math.prod(shape)
    # A header without orientation leaves the spacing of a single slice at 0.
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return voxels, voxels * math.prod(float(mm) or 1.0 for mm in spacing)


def representative_cases(extents: Extents) -> list[int]:
    """Which one or two cases tell most about all: those of the smallest and largest voxels.

    Of voxels of one size, the smallest and the largest image.
    """
    order = np.lexsort((extents.voxels, extents.volume_mm3 / extents.voxels))
    return sorted({int(order[0]), int(order[-1])})


def estimate(extents: Extents, known: Mapping[int, CaseSize]) -> CaseSize:
    """What all cases will take together.

    Args:
        extents: Of all cases.
        known: The size of some, by index.
    """
    basis = min((extents.voxels, extents.volume_mm3), key=lambda sizes: _spread(sizes, known))
    share = sum(basis[index] for index in known) / basis.sum()
    there = CaseSize.total(known.values())
    return CaseSize(
        round(there.voxels / share),
        round(there.ram_bytes / share),
        round(there.disk_bytes / share),
    )


def _spread(sizes: NDArray[np.float64], known: Mapping[int, CaseSize]) -> float:
    """How unlike the cases are in prepared voxels for each of these sizes; 1 is alike."""
    ratios = [size.voxels / sizes[index] for index, size in known.items()]
    return float(max(ratios) / min(ratios))


def announce_memory(cases: int, expected: CaseSize, there: CaseSize) -> None:
    """Log the expected memory of the cases; refuse if it does not fit.

    Args:
        cases: Number of cases.
        expected: Expected size of all of them.
        there: Size of those that are in memory already.

    Raises:
        MachineError: If the others do not fit.
    """
    free = available_bytes()
    logger.info(
        "cache memory: %d cases take about %s of memory, %s is free; cache disk would take %s",
        cases,
        bytes_text(expected.ram_bytes),
        "an unknown amount" if free is None else bytes_text(free),
        bytes_text(expected.disk_bytes),
    )
    need = expected.ram_bytes - there.ram_bytes
    if free is not None and need > MEMORY_SHARE * free:
        raise MachineError(
            f"cache memory: {cases} cases need about {bytes_text(need)} more, and only "
            f"{bytes_text(free)} of memory is free; take cache disk (--cache disk)"
        )


def announce_disk(folder: Path, cases: int, expected: CaseSize, there: CaseSize) -> None:
    """Log the expected disk space of the cases; refuse if it does not fit.

    Args:
        folder: Cache folder.
        cases: Number of cases to prepare.
        expected: Expected size of all of them.
        there: Size of those that are on disk already.

    Raises:
        MachineError: If the others do not fit.
    """
    free = shutil.disk_usage(folder).free
    logger.info(
        "cache disk: %d cases to prepare take about %s in %s, %s is free; "
        "cache memory would take %s",
        cases,
        bytes_text(expected.disk_bytes),
        folder,
        bytes_text(free),
        bytes_text(expected.ram_bytes),
    )
    need = expected.disk_bytes - there.disk_bytes
    if need > free:
        raise MachineError(
            f"{folder}: {cases} cases need about {bytes_text(need)} more, and only "
            f"{bytes_text(free)} is free; make room, or name another folder by cache_dir or "
            "MEDSEG_CACHE"
        )


def bytes_text(size: float) -> str:
    """Format a size, e.g. `3.2 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
