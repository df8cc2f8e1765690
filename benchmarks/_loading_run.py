"""One pipeline in a process of its own: patches a second, processor time, memory.

    python -m benchmarks._loading_run NAME FOLDER [--seconds 20] [--cases 50]

Prints one line of JSON. Processor time and memory are those of the process and all its
workers; memory that they share counts once.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from benchmarks._loading_cases import write_cases
from benchmarks._loading_pipelines import BATCH, PIPELINES, WORKERS
from benchmarks._process_tree import PeakMemory, cpu_seconds

SHAPE = (192, 192, 160)
PATCHES = (BATCH, 1, 96, 96, 96)
# What was made before the clock starts must not count.
WARM_UP = 4 * WORKERS


def main() -> None:
    """Fill the cache, warm up, and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=PIPELINES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--cases", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cases = write_cases(options.folder / "files", options.cases, SHAPE, ".nii.gz")
    memory = PeakMemory()
    batches = PIPELINES[options.name](cases, options.folder)
    for batch in islice(batches, WARM_UP):
        check(batch)
    filling_mb = memory.take()
    counted = count(batches, options.seconds)
    print(json.dumps({**counted, "filling_mb": filling_mb, "serving_mb": memory.take()}))
    # Workers are in the middle of something, and some loaders never end theirs.
    sys.stdout.flush()
    # torch would take their end for a failure.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(0)


def count(batches: Iterator[torch.Tensor], seconds: float) -> dict[str, float]:
    """Patches a second on the clock, and milliseconds of processors for each."""
    start, busy, made = time.perf_counter(), cpu_seconds(), 0
    while time.perf_counter() - start < seconds:
        check(next(batches))
        made += BATCH
    passed = time.perf_counter() - start
    return {"rate": made / passed, "cpu_ms": 1000 * (cpu_seconds() - busy) / made}


def check(batch: torch.Tensor) -> None:
    """No rates for wrong work."""
    if tuple(batch.shape) != PATCHES or batch.dtype != torch.float32:
        raise RuntimeError(f"a batch of {tuple(batch.shape)}, {batch.dtype}; wanted {PATCHES}")


if __name__ == "__main__":
    main()
