"""Cache of prepared cases: in memory, on disk, or none.

All three return the same packed cases by index. A cache is filled at once, before a loader starts
its workers, so that all workers share it: the memory of their parent process, or the files.
"""

import logging
import math
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from medseg.data.cases.case_digest import case_digest
from medseg.data.cases.disk_cache import DiskCache
from medseg.data.cases.disk_entry import PACKING, encode_entry
from medseg.data.cases.estimate import (
    CaseSize,
    announce_disk,
    announce_memory,
    estimate,
    read_extents,
    representative_cases,
)
from medseg.data.cases.packed import Packed, case_name, packed_bytes
from medseg.data.cases.preparing import (
    Case,
    Preparation,
    PreparingProgress,
    in_threads,
    prepare_case,
    threads_for,
)
from medseg.data.cases.recipe_digest import recipe_digest
from medseg.errors import DataError, MedsegError, caused_by

__all__ = ["Cache", "CaseCache", "DiskCases", "fill_cache"]

logger = logging.getLogger(__name__)

Cache = Literal["memory", "disk", "none"]


class CaseCache(Protocol):
    """Packed cases by index."""

    def __getitem__(self, index: int, /) -> Packed: ...


def fill_cache(
    cache: Cache, cases: Sequence[Case], preparation: Preparation, cache_dir: Path | None
) -> CaseCache:
    """Fill a cache with prepared cases, after logging its expected size.

    Args:
        cache: Kind of the cache.
        cases: At least one.
        preparation: From a case to its image, label and other entries.
        cache_dir: Folder of a disk cache, see `DiskCache`.

    Raises:
        DataError: If a case cannot be packed.
        MachineError: If the cache does not fit.
    """
    prepare = partial(prepare_case, preparation)
    if cache == "memory":
        return _fill_memory(cases, prepare)
    if cache == "disk":
        return _fill_disk(cases, prepare, recipe_digest(preparation), cache_dir)
    logger.info("cache none: each draw prepares its case again")
    return _Unkept(cases, prepare)


def _fill_memory(cases: Sequence[Case], prepare: Callable[[Case], Packed]) -> list[Packed]:
    kept: dict[int, Packed] = {}

    def keep(index: int) -> Packed:
        return kept.setdefault(index, prepare(cases[index]))

    _fill(cases, keep, partial(announce_memory, len(cases)))
    return [kept[index] for index in range(len(cases))]


def _fill_disk(
    cases: Sequence[Case],
    prepare: Callable[[Case], Packed],
    recipe: str,
    cache_dir: Path | None,
) -> "DiskCases":
    cache = DiskCache(cache_dir)
    digests = _digests(cases, recipe)
    missing = _missing(cache, digests)
    logger.info(
        "cache disk: %d of %d cases are in %s",
        len(cases) - len(missing),
        len(cases),
        cache.folder,
    )

    def keep(number: int) -> Packed | None:
        index = missing[number]
        if cache.find(digests[index]) is not None:
            # Another run has prepared it in the meantime.
            return None
        packed = prepare(cases[index])
        cache.keep(digests[index], encode_entry(packed), case_name(cases[index]))
        return packed

    if missing:
        uncached = [cases[index] for index in missing]
        _fill(uncached, keep, partial(announce_disk, cache.folder, len(missing)))
    return DiskCases(cache, digests)


def _missing(cache: DiskCache, digests: Sequence[str]) -> list[int]:
    """Indices of the cases that are not in the cache, or damaged there."""
    missing: list[int] = []

    def check(index: int) -> None:
        if cache.find(digests[index]) is None:
            missing.append(index)

    in_threads(check, range(len(digests)))
    return sorted(missing)


def _digests(cases: Sequence[Case], recipe: str) -> list[str]:
    digests: dict[int, str] = {}

    def read(index: int) -> None:
        digests[index] = case_digest(cases[index], recipe, PACKING)

    in_threads(read, range(len(cases)))
    return [digests[index] for index in range(len(cases))]


def _fill(
    cases: Sequence[Case],
    keep: Callable[[int], Packed | None],
    announce: Callable[[CaseSize, CaseSize], None],
) -> None:
    """Prepare representative cases, announce the size estimated from them, then all others."""
    progress = PreparingProgress(len(cases))

    def keep_and_log(index: int) -> Packed | None:
        start = time.perf_counter()
        packed = keep(index)
        logger.debug("%s: prepared in %.1f s", case_name(cases[index]), time.perf_counter() - start)
        progress.note()
        return packed

    extents = read_extents(cases)
    first = representative_cases(extents)
    kept = {index: keep_and_log(index) for index in first}
    sizes = {index: _size(packed) for index, packed in kept.items() if packed is not None}
    if sizes:
        announce(estimate(extents, sizes), CaseSize.total(sizes.values()))
    others = [index for index in range(len(cases)) if index not in first]
    # Different orders let runs that fill the same disk cache share the work.
    random.Random(os.getpid()).shuffle(others)
    in_threads(keep_and_log, others, threads_for(float(extents.voxels.max())))
    progress.end()


def _size(packed: Packed) -> CaseSize:
    on_disk = sum(map(len, encode_entry(packed).values()))
    return CaseSize(math.prod(packed["image"].shape), packed_bytes(packed), on_disk)


class DiskCases:
    """Cases of a disk cache, each opened on first access, in each process separately."""

    def __init__(self, cache: DiskCache, digests: Sequence[str]) -> None:
        """Store the arguments without opening a case.

        Args:
            cache: The disk cache.
            digests: Of each case.
        """
        self._cache = cache
        self._digests = list(digests)
        self._opened: dict[int, Packed] = {}

    def __getitem__(self, index: int) -> Packed:
        """The case, with its volumes as `DiskArray`.

        Raises:
            DataError: If it was removed or damaged during the training.
        """
        if index not in self._opened:
            self._opened[index] = self._open(self._digests[index])
        return self._opened[index]

    def _open(self, digest: str) -> Packed:
        # Checked when the cache was filled; each worker opens the case anew.
        packed = self._cache.find(digest, check="sizes")
        if packed is None:
            folder = self._cache.folder / digest
            raise DataError(f"{folder}: removed or damaged while in use; start again")
        return packed

    def __getstate__(self) -> dict[str, Any]:
        """The state without open cases, for pickling to workers."""
        return {**self.__dict__, "_opened": {}}


class _Unkept:
    """Cases without a cache, prepared on each access."""

    def __init__(self, cases: Sequence[Case], prepare: Callable[[Case], Packed]) -> None:
        self._cases = cases
        self._prepare = prepare

    def __getitem__(self, index: int) -> Packed:
        """Prepare the case.

        Raises:
            DataError: If it cannot be prepared.
        """
        try:
            return self._prepare(self._cases[index])
        except Exception as error:
            if caused_by(error, MedsegError) or caused_by(error, MemoryError):
                raise
            # Readers raise many types for broken files: EOFError, zlib.error, OSError, ...
            raise DataError(_deepest(error)) from error


def _deepest(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().partition("\n")[0]
