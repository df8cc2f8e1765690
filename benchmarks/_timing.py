"""What the benchmarks share: one thread, tools that take turns, and what machine it was."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["cpu_model", "median_times", "on_one_thread", "versions"]

# What the libraries below read when they are imported, which is why a process starts anew for it.
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


def on_one_thread() -> None:
    """Start this program anew with one thread for torch, OpenMP, BLAS and ITK, if it is not so."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        settings = {**os.environ, **dict.fromkeys(_THREADS, "1")}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], settings)


def median_times(tools: Mapping[str, Callable[[], object]], samples: int) -> dict[str, float]:
    """Median milliseconds of the processor's time of each tool, all threads added up.

    On one thread that is the time on the clock without waiting for a core that others hold. The
    tools take turns, so that noise meets all alike; two rounds to warm up are not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in tools}
    for turn in range(2 + samples):
        for name, tool in tools.items():
            start = time.process_time()
            tool()
            if turn >= 2:
                times[name].append(1000 * (time.process_time() - start))
    return {name: statistics.median(taken) for name, taken in times.items()}


def cpu_model() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def versions(packages: list[str]) -> str:
    """Installed versions, `no NAME` for what is missing."""
    return ", ".join(_version(name) for name in packages)


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"
