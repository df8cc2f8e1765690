"""One section of the GPU check, in a process of its own.

    python -m benchmarks._gpu_section NAME --records FILE [--size short]

Adds its records to the file as they come. `machine` prints what it runs on instead, as JSON.
"""

import argparse
import json
from pathlib import Path

import torch

from benchmarks._gpu_rows import (
    FULL,
    SECTIONS,
    SHORT,
    Emit,
    Sizes,
    compiled_steps,
    eager_steps,
    emitter,
)

__all__ = ["run_section"]


def main() -> int:
    """Run one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["machine", *(section.name for section in SECTIONS)])
    parser.add_argument("--records", type=Path)
    parser.add_argument("--size", choices=["full", "short"], default="full")
    options = parser.parse_args()
    if options.name == "machine":
        from benchmarks._gpu_machine import machine

        print(json.dumps(machine()))
        return 0
    sizes = SHORT if options.size == "short" else FULL
    if options.size == "short":
        # So little work waits longer for a second thread than that saves.
        torch.set_num_threads(1)
    return run_section(options.name, sizes, emitter(options.records))


def run_section(name: str, sizes: Sizes, emit: Emit) -> int:
    """Measure; imports stand inside, so that a section needs no more than it uses."""
    if name == "tests":
        from benchmarks._gpu_tests import run_tests

        return run_tests(emit)
    if name == "warp":
        from benchmarks._gpu_warp import measure_warps

        measure_warps(sizes, emit)
    elif name == "prediction":
        from benchmarks._gpu_prediction import measure_prediction

        measure_prediction(sizes, emit)
    else:
        from benchmarks._gpu_training import measure_steps

        measure_steps(compiled_steps(sizes) if name == "compiled" else eager_steps(), sizes, emit)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
