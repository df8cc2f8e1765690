"""What it costs to bring patches to the network: medseg's data path, MONAI's and nnU-Net's.

    python -m benchmarks.loading [--rounds 3] [--seconds 20] [--folder DIR]

Prints Markdown tables for RESULTS.md. First one volume of 512x512x600 voxels: reading it, and a
random 96^3 patch of image and label from the disk cache. Then 50 cases of 192x192x160: patches
of 96^3 a second, with two workers and equal augmentation, processor time for each, and memory.
Each row is a process of its own; the pipelines take turns. How they were set:
`_loading_pipelines.py`. Takes some 20 minutes and 12 GB of disk.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._loading_disk import PATCH, SHAPE
from benchmarks._loading_disk import STEPS as VOLUME_STEPS
from benchmarks._loading_pipelines import PIPELINES, WORKERS
from benchmarks._timing import cpu_model, on_one_thread, versions

PACKAGES = ["medseg", "torch", "monai", "nnunetv2", "batchgeneratorsv2", "blosc2", "numpy"]
VOLUME_ROWS = {
    "nii": "nibabel, `.nii`, int16 as stored",
    "nii.gz": "nibabel, `.nii.gz`, int16 as stored",
    "monai nii": "MONAI `LoadImage`, `.nii`, float32",
    "monai nii.gz": "MONAI `LoadImage`, `.nii.gz`, float32",
    "patches": "patch of image and label, disk cache, files in the page cache",
    "cold patches": "the same, files not in the page cache",
}
Result = dict[str, float]


def main() -> None:
    """Measure and print."""
    on_one_thread()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print(f"{cpu_model()}; one thread a process\n{versions(PACKAGES)}\n")
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        print_volume({step: volume_step(step, folder / "volume") for step in VOLUME_STEPS})
        print_pipelines(turns(options, folder / "cases"))


def volume_step(step: str, folder: Path) -> Result:
    """One step of `_loading_disk`."""
    samples = "20" if "patches" in step else "3"
    return run("benchmarks._loading_disk", step, str(folder), "--samples", samples)


def turns(options: argparse.Namespace, folder: Path) -> dict[str, list[Result]]:
    """Each pipeline once a round."""
    results: dict[str, list[Result]] = {name: [] for name in PIPELINES}
    length = ["--seconds", str(options.seconds), "--cases", str(options.cases)]
    for _ in range(options.rounds):
        for name, rounds in results.items():
            rounds.append(run("benchmarks._loading_run", name, str(folder), *length))
    return {name: rounds for name, rounds in results.items() if all(rounds)}


def run(module: str, *arguments: str) -> Result:
    """The last line that a module prints, as JSON; nothing if a package is missing."""
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in done.stderr:
        print(f"NOT MEASURED: {arguments[0]}: {done.stderr.splitlines()[-1]}\n")
        return {}
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def print_volume(results: dict[str, Result]) -> None:
    """Milliseconds, times the patch's, and growth of the process."""
    sizes = "x".join(map(str, SHAPE)), "x".join(map(str, PATCH))
    print(f"One volume of {sizes[0]}, patches of {sizes[1]}:\n")
    print("| what | ms | ratio | the process grew by, MB |")
    print("|---|---|---|---|")
    patch_ms = results["patches"]["ms"]
    for step, name in VOLUME_ROWS.items():
        taken = results[step]
        ratio = f"{taken['ms'] / patch_ms:.1f}"
        print(f"| {name} | {taken['ms']:.1f} | {ratio} | {taken['grown_mb']:.0f} |")
    print()


def print_pipelines(results: dict[str, list[Result]]) -> None:
    """Medians of the rounds; ratios are to MONAI's from memory."""
    first = medians(results["MONAI, memory"])
    print(f"Batches of two patches of 96^3, {WORKERS} workers, medians of the rounds:\n")
    print(
        "| pipeline | patches/s | ratio | processor ms a patch | ratio "
        "| peak MB, filling | peak MB, serving |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, rounds in results.items():
        own = medians(rounds)
        cells = [
            f"{own['rate']:.1f}",
            f"{own['rate'] / first['rate']:.1f}",
            f"{own['cpu_ms']:.0f}",
            f"{first['cpu_ms'] / own['cpu_ms']:.1f}",
            f"{own['filling_mb']:.0f}",
            f"{own['serving_mb']:.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def medians(rounds: list[Result]) -> Result:
    """Of each figure; but a cache on disk is filled in the first round only."""
    found = {key: statistics.median(result[key] for result in rounds) for key in rounds[0]}
    return {**found, "filling_mb": max(result["filling_mb"] for result in rounds)}


if __name__ == "__main__":
    main()
