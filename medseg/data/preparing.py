"""Preparing cases, one or many at a time."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from medseg.data.packed import Packed, case_name, pack_case

__all__ = ["Case", "Preparation", "in_threads", "prepare_case"]

Case = Mapping[str, Any]
Preparation = Callable[[dict[str, Any]], object]

# Each holds whole volumes in 32 bits, and some steps use several processors on their own.
THREADS = 4


def prepare_case(preparation: Preparation, case: Case) -> Packed:
    """Prepare and pack one case; an error says which.

    Raises:
        DataError: If the result cannot be packed; see `pack_case`.
        Exception: What the preparation raised, with a note that names the case.
    """
    try:
        return pack_case(preparation(dict(case)), case)
    except Exception as error:
        error.add_note(f"while preparing {case_name(case)}")
        raise


def in_threads(work: Callable[[int], object], indices: Iterable[int]) -> None:
    """Call a function for each index, several at a time; the first error ends it."""
    pool = ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1))
    try:
        for _ in pool.map(work, indices):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
