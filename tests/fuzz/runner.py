"""Runner: cases of a target one after another, in a process of its own with bounded memory."""

import multiprocessing
import os
import resource
import shutil
import tempfile
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from tests.fuzz.judge import SECONDS, judge
from tests.fuzz.target import Target, write_file

__all__ = ["Failure", "fuzz", "make_case"]

GIGABYTES = 2
# The alarm does not stop C code that holds on to the interpreter.
_PATIENCE = 2 * SECONDS
# Cases that are given before the first of them is done: on a busy machine every wait is long.
_AHEAD = 50
# In memory, where there is such a folder: making and removing files takes longer than reading them.
_MEMORY = Path("/dev/shm")
# Forked, as the imports take longer than a thousand cases.
_processes = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Failure:
    """A case that went wrong; `make_case` makes its file again."""

    target: str
    seed: int
    number: int
    what: str


def make_case(target: Target, seed: int, number: int) -> tuple[str, bytes]:
    """Name and content of a case's file; the same for the same numbers, on any machine."""
    rng = Random(f"{target.name} {seed} {number}")
    corpus = target.corpus()
    name = rng.choice(sorted(corpus))
    data = corpus[name]
    # One in fifty is as it was: that the readers agree at all.
    return (name, data) if rng.random() < 0.02 else (name, target.mutate(rng, data))


def fuzz(target: Target, *, seed: int, numbers: Iterator[int]) -> Iterator[Failure | None]:
    """Run cases; a worker that dies or hangs is a failure, and replaced.

    Args:
        target: What is read.
        seed: Of all of the cases.
        numbers: Of each case.

    Yields:
        For each case its failure, or None.
    """
    worker = None
    # Numbers that a worker was given, so that it need not wait for the next one.
    given: deque[int] = deque(islice(numbers, _AHEAD))
    try:
        while given:
            worker = worker or _Worker(target, seed, given)
            what = worker.result()
            number = given.popleft()
            yield Failure(target.name, seed, number, what) if what else None
            given.extend(new := list(islice(numbers, 1)))
            if not worker.process.is_alive():
                worker = None
            elif new:
                worker.give(new[0])
    finally:
        if worker:
            worker.stop()


class _Worker:
    def __init__(self, target: Target, seed: int, numbers: Iterable[int]) -> None:
        self.ours, theirs = _processes.Pipe()
        self.process = _processes.Process(target=_serve, args=(theirs, target, seed), daemon=True)
        self.process.start()
        theirs.close()
        for number in numbers:
            self.give(number)

    def give(self, number: int) -> None:
        # Of a process that has ended, `result` tells.
        with suppress(OSError):
            self.ours.send(number)

    def result(self) -> str | None:
        """Verdict on the first case that was given and has none yet."""
        try:
            if self._answers():
                return self.ours.recv()
            what = f"hangs for {_PATIENCE} s, deaf to signals"
        except (EOFError, OSError):
            self.process.join(5)
            what = f"kills the process: exit code {self.process.exitcode}"
        self.stop()
        return what

    def _answers(self) -> bool:
        """Wait as long as it computes, but for twice the alarm; the clock's time says nothing."""
        first = before = None
        while not self.ours.poll(_PATIENCE):
            now = _processor_seconds(self.process.pid)
            first = now if first is None else first
            if now == before or now - first > _PATIENCE:
                return False
            before = now
        return True

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.ours.close()


def _processor_seconds(pid: int | None) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _serve(pipe: Connection, target: Target, seed: int) -> None:
    warnings.simplefilter("ignore")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    _bound_memory()
    root = Path(tempfile.mkdtemp(prefix="fuzz", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        while True:
            number = pipe.recv()
            folder = root / "case"
            folder.mkdir()
            pipe.send(judge(target, write_file(target, folder, *make_case(target, seed, number))))
            shutil.rmtree(folder)
    except (EOFError, KeyboardInterrupt):
        pass
    finally:
        shutil.rmtree(root, ignore_errors=True)
        # Without the exit handlers of the process that was forked.
        os._exit(0)


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + GIGABYTES * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
