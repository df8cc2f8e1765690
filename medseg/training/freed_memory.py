"""Memory that a step frees is kept for the next one."""

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# mallopt's parameters and its largest value, as of glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_NEVER = -1
_LARGEST = 2**31 - 1


def keep_freed_memory() -> None:
    """Let the C library keep what is freed, for the whole process and for good.

    glibc hands large blocks back to the system as soon as they are free, and the system clears
    each page when it is asked for again: on a CPU a tenth of a training step. The process then
    holds the most it ever needed. Where the C library is another one, nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _NEVER)
