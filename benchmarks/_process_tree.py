"""What a process and its workers take together, as Linux tells it."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

__all__ = ["PeakMemory", "cpu_seconds"]

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """Processor time of this process and of all that it started and that live."""
    return sum(_ticks(process) for process in _tree(os.getpid())) / TICKS


class PeakMemory:
    """The most memory that this process and its workers held; what they share counts once."""

    def __init__(self) -> None:
        """Begin to look, four times a second."""
        self._peak = 0
        self._end = Event()
        Thread(target=self._look, daemon=True).start()

    def take(self) -> float:
        """The peak in megabytes since the last time it was taken."""
        peak, self._peak = max(self._peak, _shared_out()), 0
        return peak / 1024

    def _look(self) -> None:
        while not self._end.wait(0.25):
            self._peak = max(self._peak, _shared_out())


def _shared_out() -> int:
    """Kilobytes of all processes, shared pages by equal parts."""
    return sum(_pss(process) for process in _tree(os.getpid()))


def _tree(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _text(task).split():
            yield from _tree(int(child))


def _ticks(process: int) -> int:
    # The name in brackets may hold blanks; what follows is plain.
    fields = _text(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]) if fields else 0


def _pss(process: int) -> int:
    lines = _text(Path(f"/proc/{process}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        # The process has just ended.
        return ""
