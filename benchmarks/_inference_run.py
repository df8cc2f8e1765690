"""One prediction in a process of its own: seconds, processor seconds, the most memory it held.

    python -m benchmarks._inference_run TOOL IMAGE OUTPUT WEIGHTS [--limit-gb 20]

Prints one line of JSON. The clock starts when the tool's modules are imported and stops when the
label is on the disk: weights are read, a network is built and a bundle parsed within it.
"""

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import torch

from benchmarks._inference_tools import TOOLS, Job

__all__ = ["Run", "Setting", "run_apart"]

# What a process ends with that held more than it was allowed.
KILLED = 99

# `seconds`, `cpu_seconds` and `peak_gb`, or nothing for a run that was stopped.
Run = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all runs of a benchmark share.

    Attributes:
        window: Voxels of a window along each axis.
        spacing_mm: Voxel size the network works at.
        threads: Of torch, of OpenVINO and of nnU-Net.
        limit_gb: A run that holds more is stopped.
        engine: Of medseg.
        windows: As `Job` has it.
    """

    window: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    threads: int
    limit_gb: float
    engine: str = "auto"
    windows: str = "own"


def run_apart(tool: str, job: tuple[Path, Path, Path], cache: Path, setting: Setting) -> Run:
    """Predict in a process of its own.

    Args:
        tool: One of `TOOLS`.
        job: The image, the folder of the label, which is emptied before, and the weights.
        cache: Where medseg keeps converted networks.
        setting: How.
    """
    shutil.rmtree(job[1], ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks._inference_run", tool, *map(str, job)]
    command += ["--threads", str(setting.threads), "--limit-gb", str(setting.limit_gb)]
    command += ["--engine", setting.engine, "--windows", setting.windows]
    command += ["--window", *map(str, setting.window)]
    command += ["--spacing-mm", *map(str, setting.spacing_mm)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "nnUNet_def_n_proc"), str(setting.threads))
    settings = {**os.environ, **threads, "MEDSEG_CACHE": str(cache.resolve())}
    done = subprocess.run(command, capture_output=True, text=True, env=settings)
    if done.returncode == KILLED:
        return {}
    if done.returncode:
        raise SystemExit(f"{tool} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


IMPORTED_BEFORE = {
    "medseg": ("monai.bundle", "medseg.inference", "medseg.inference.engines.openvino_runtime"),
    "MONAI": ("monai.bundle", "monai.engines", "medseg.inference"),
    "nnU-Net": ("nnunetv2.inference.predict_from_raw_data",),
}


def main() -> None:
    """Predict and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("image", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--window", type=int, nargs=3, default=[96, 96, 96])
    parser.add_argument("--spacing-mm", type=float, nargs=3, default=[2, 2, 2])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit-gb", type=float)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--windows", default="own")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.limit_gb is not None:
        stop_above(options.limit_gb)
    for module in IMPORTED_BEFORE[options.tool.partition(",")[0]]:
        importlib.import_module(module)
    job = Job(
        image=options.image.resolve(),
        output=options.output.resolve(),
        weights=options.weights.resolve(),
        window=tuple(options.window),
        spacing_mm=tuple(options.spacing_mm),
        engine=options.engine,
        windows=options.windows,
    )
    job.output.mkdir(parents=True, exist_ok=True)
    wall, busy = time.perf_counter(), time.process_time()
    TOOLS[options.tool](job)
    taken = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - busy}
    print(json.dumps({**taken, "peak_gb": peak_gb()}))


def peak_gb() -> float:
    """The most that this process held since it began; what its parent held does not count."""
    return gigabytes("VmHWM")


def stop_above(limit_gb: float) -> None:
    """End this process when it holds more, so that the machine survives it."""

    def watch() -> None:
        while not Event().wait(0.05):
            if gigabytes("VmRSS") > limit_gb:
                sys.stdout.flush()
                os._exit(KILLED)

    Thread(target=watch, daemon=True).start()


def gigabytes(field: str) -> float:
    """What the system's record of this process says, there in units of 1024 bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) / 1e9 for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
