"""Preparation of cases, one at a time or in threads."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from medseg.data.cases.free_memory import available_bytes
from medseg.data.cases.packed import Packed, case_name, pack_case

__all__ = [
    "Case",
    "Preparation",
    "PreparingProgress",
    "in_threads",
    "prepare_case",
    "threads_for",
]

logger = logging.getLogger(__name__)

Case = Mapping[str, Any]
Preparation = Callable[[dict[str, Any]], object]

# More threads gain little, as some steps use several processors themselves.
MOST_THREADS = 4
# Peak bytes per voxel: image and label as float32, before and after a step, and a sampling grid.
BYTES_WHILE_PREPARED = 32
_SECONDS_BETWEEN_LINES = 10.0


def prepare_case(preparation: Preparation, case: Case) -> Packed:
    """Prepare and pack one case; errors name the case.

    Raises:
        DataError: If the result cannot be packed; see `pack_case`.
        Exception: What the preparation raised, with a note that names the case.
    """
    try:
        return pack_case(preparation(dict(case)), case)
    except Exception as error:
        error.add_note(f"while preparing {case_name(case)}")
        raise


def in_threads(
    work: Callable[[int], object], indices: Iterable[int], threads: int = MOST_THREADS
) -> None:
    """Call a function for each index in a thread pool; the first error cancels the rest."""
    pool = ThreadPoolExecutor(min(threads, os.cpu_count() or 1))
    try:
        for _ in pool.map(work, indices):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def threads_for(voxels: float) -> int:
    """Number of cases that can be prepared in parallel in the available memory.

    Args:
        voxels: Of the largest case.
    """
    free = available_bytes()
    if free is None:
        return MOST_THREADS
    return max(1, min(MOST_THREADS, int(free // (voxels * BYTES_WHILE_PREPARED))))


class PreparingProgress:
    """Log how far the preparation of cases is: a line every few seconds, and one at its end."""

    def __init__(self, cases: int) -> None:
        """Start the clock; `cases` are to be prepared."""
        self.cases = cases
        self._done = 0
        self._begun = self._told = time.monotonic()
        self._lock = threading.Lock()

    def note(self) -> None:
        """Count a case, in any thread."""
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if now - self._told < _SECONDS_BETWEEN_LINES or self._done == self.cases:
                return
            self._told = now
            left = (now - self._begun) / self._done * (self.cases - self._done)
        logger.info("%d of %d cases prepared, about %.0f s left", self._done, self.cases, left)

    def end(self) -> None:
        """Log how long all took."""
        lasted = time.monotonic() - self._begun
        logger.info("%d cases prepared in %.1f s", self.cases, lasted)
