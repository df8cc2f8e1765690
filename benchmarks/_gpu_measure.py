"""Time, memory and load of a device: what the sections of the GPU check measure by."""

import gc
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

__all__ = ["Memory", "busy_ms", "covered", "failure", "forget", "here", "timed_ms"]

Work = Callable[[], object]


def here() -> torch.device:
    """The GPU, or the CPU of a machine without one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def timed_ms(work: Work) -> float:
    """Milliseconds on the clock, from an idle device to an idle device."""
    _wait()
    start = time.perf_counter()
    work()
    _wait()
    return 1000 * (time.perf_counter() - start)


class Memory:
    """The most that torch holds on the GPU, less what it held before; none on a CPU."""

    def __init__(self) -> None:
        self._before = 0
        if torch.cuda.is_available():
            # Without it a process that has not used the GPU yet has no statistics to reset.
            torch.cuda.init()
            self._before = torch.cuda.memory_allocated()
        self.restart()

    def restart(self) -> None:
        """Forget the peak, such as that of a search for the fastest algorithms."""
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    @property
    def peak_gb(self) -> float | None:
        """Until now, in 10^9 bytes."""
        if not torch.cuda.is_available():
            return None
        return (torch.cuda.max_memory_allocated() - self._before) / 1e9


def busy_ms(work: Work) -> float | None:
    """Milliseconds in which the device computed, or copied; none where the profiler saw nothing.

    By the profiler's account of kernels, as nvidia-smi's share is of periods as long as a whole
    prediction of ours. It makes the work slower, but not the kernels: to be divided by the time
    that the work takes without it. On a CPU what torch's operators took.
    """
    cuda = torch.cuda.is_available()
    activity = ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU
    with profile(activities=[activity]) as seen:
        work()
        _wait()
    kind = DeviceType.CUDA if cuda else DeviceType.CPU
    events: Any = seen.events()
    spans = [
        (event.time_range.start, event.time_range.end)
        for event in events
        if event.device_type == kind and not getattr(event, "is_user_annotation", False)
    ]
    return covered(spans) / 1000 if spans else None


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """How much time is in at least one of the spans."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def forget() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def failure(error: BaseException) -> str:
    """An error for a cell of a table, all of it for the log."""
    traceback.print_exception(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"failed: {type(error).__name__}: {lines[0] if lines else 'no reason'}"
    return text.replace("|", "/")[:200]


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
