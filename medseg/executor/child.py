"""Process of a job: alone at its result, ended with its parent, with its output in the log.

    python -m medseg.executor.child LOG RESULT MODULE ARGUMENTS...

RESULT is empty for a job without one. Standard input is a pipe that the parent holds: it ends when
the parent does, however that ends, and then this process ends as by SIGTERM. So nobody's work goes
on unseen, and a lock on a result is held by the very process that writes it.
"""

import math
import os
import runpy
import signal
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from medseg._locks import locked

__all__ = ["GRACE_SECONDS", "lock_of", "main"]

# From SIGTERM to SIGKILL: a training ends its step and writes a checkpoint.
GRACE_SECONDS = 30.0


def lock_of(result: Path) -> Path:
    """File that is locked while a process is at a result."""
    return result.with_name(f".{result.name}.medseg-lock")


def main() -> None:
    """Run the module, unless its result is there."""
    log, result, module, *arguments = sys.argv[1:]
    _end_with_parent()
    with _alone(result):
        if result and Path(result).exists():
            return
        _write_to(Path(log))
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _alone(result: str) -> AbstractContextManager[None]:
    if not result:
        return nullcontext()
    return locked(lock_of(Path(result)), what=result, patience_seconds=math.inf)


def _end_with_parent() -> None:
    pipe = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_watch, args=(pipe,), daemon=True).start()


def _watch(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _write_to(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    # A process of an earlier attempt may still hold the old file.
    log.unlink(missing_ok=True)
    with log.open("ab") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # pyright: ignore - text of a file


if __name__ == "__main__":
    main()
