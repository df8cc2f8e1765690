"""Kill -9 of a study at random moments: nothing is repeated, and the tables are those of no kill.

python -m benchmarks.study_kills --kills 20 --seed 1
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.glands import SIZE, write_glands

TABLES = ("rows.csv", "cases.csv", "averages.csv")
STUDY = {
    "title": "Killed",
    "bundle": str(Path(__file__).parents[1] / "bundles" / "ebhi_histology_unet2d"),
    "base": {
        "patch_size": [SIZE, SIZE],
        "network_def#first_width": 4,
        "network_def#depth": 3,
        "stored_augmentations": None,
    },
    "factors": {
        "norm": {"none": {"network_def#norm": "none"}, "batch": {"network_def#norm_kind": "batch"}},
        "rate": {"high": {"learning_rate": 0.01}},
    },
    "seeds": [1, 2],
    "iterations": 16,
}


def main() -> None:
    """Run the study once in peace, and once with kills; print what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on", default="local")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_glands(folder / "glands")
        (folder / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
        started = time.monotonic()
        _begin(folder, "peace", given.on).wait()
        seconds = time.monotonic() - started
        repeated = _kill(folder, given.on, given.kills, seconds, random.Random(given.seed))
        code = _begin(folder, "war", given.on).wait()
        equal = {
            table: _bytes(folder, "peace", table) == _bytes(folder, "war", table)
            for table in TABLES
        }
    print(f"{given.kills} kills over {seconds:.0f} s of study, on {given.on}")
    print(f"runs repeated: {repeated}; exit code at the end: {code}; tables equal: {equal}")
    sys.exit(0 if not repeated and all(equal.values()) and code == 0 else 1)


def _kill(folder: Path, on: str, kills: int, seconds: float, chance: random.Random) -> int:
    """Start the study and kill it, again and again; how many finished runs were run again."""
    repeated = 0
    done: dict[str, int] = {}
    every = len(_results(folder / "peace" / "runs"))
    while kills:
        process = _begin(folder, "war", on)
        try:
            process.wait(timeout=chance.uniform(0, seconds / 4))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills -= 1
        now = _results(folder / "war" / "runs")
        repeated += sum(1 for run, moment in done.items() if now.get(run) != moment)
        done = now
        if len(done) == every and kills:
            # All done before the last kill: from the start again, for more moments.
            shutil.rmtree(folder / "war")
            done = {}
    return repeated


def _bytes(folder: Path, name: str, table: str) -> bytes:
    return (folder / name / "out" / table).read_bytes()


def _begin(folder: Path, name: str, on: str) -> subprocess.Popen[bytes]:
    words = [
        "study", "run", str(folder / "study.yaml"), f"dataset_dir={folder / 'glands'}",
        "--runs", str(folder / name / "runs"), "-o", str(folder / name / "out"), "--on", on,
    ]  # fmt: skip
    code = "from medseg.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _results(runs: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in runs.glob("*/result.json")}


if __name__ == "__main__":
    main()
