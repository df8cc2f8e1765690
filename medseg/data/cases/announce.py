"""Log a cache's expected size before filling it; refuse if it cannot fit."""

import logging
import shutil
from pathlib import Path

from medseg.data.cases.estimate import CaseSize
from medseg.data.cases.free_memory import available_bytes
from medseg.errors import MachineError

__all__ = ["announce_disk", "announce_memory", "bytes_text"]

logger = logging.getLogger(__name__)

# The rest is for the network, the workers, and the cases while they are prepared.
MEMORY_SHARE = 0.8


def announce_memory(cases: int, expected: CaseSize, there: CaseSize) -> None:
    """Tell how much memory the cases will take.

    Args:
        cases: How many.
        expected: What all of them take.
        there: What those take that are in memory already.

    Raises:
        MachineError: If the others would not fit.
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
    """Tell how much room on disk the cases will take.

    Args:
        folder: Of the cache.
        cases: How many are to be prepared.
        expected: What all of them take.
        there: What those take that are on disk already.

    Raises:
        MachineError: If there is no room for the others.
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
    """A size as people read it, e.g. `3.2 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
