"""`make fuzz`: all targets in turn, or one, for as long as it is told to.

python -m tests.fuzz --minutes 10 --seed 1 --target nifti
python -m tests.fuzz --repeat runs/fuzz/nifti-1-345-i16.nii
"""

import argparse
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from tests.fuzz.judge import judge
from tests.fuzz.runner import Failure, fuzz, make_case
from tests.fuzz.target import Target, write_file
from tests.fuzz.targets import TARGETS

KEPT = Path("runs/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=10, help="in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=[*TARGETS, "all"], default="all")
    parser.add_argument("--repeat", type=Path, help="a file that was kept: read it here, once")
    options = parser.parse_args()
    if options.repeat:
        return _repeat(options.repeat)
    names = list(TARGETS) if options.target == "all" else [options.target]
    found = 0
    for name in names:
        failures, cases = _run(TARGETS[name], options.seed, options.minutes * 60 / len(names))
        print(f"{name}: seed {options.seed}, {cases} cases, {failures} failures", flush=True)
        found += failures
    return 1 if found else 0


def _run(target: Target, seed: int, seconds: float) -> tuple[int, int]:
    end, failures, number = time.monotonic() + seconds, 0, 0
    for number, failure in enumerate(fuzz(target, seed=seed, numbers=count()), start=1):
        if failure:
            failures += 1
            print(f"{_keep(target, failure)}\n  {failure.what}", flush=True)
        if time.monotonic() > end:
            break
    return failures, number


def _keep(target: Target, failure: Failure) -> Path:
    name, data = make_case(target, failure.seed, failure.number)
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{target.name}-{failure.seed}-{failure.number}-{name}"
    path.write_bytes(data)
    return path


def _repeat(path: Path) -> int:
    target, _, _, name = path.name.split("-", 3)
    with tempfile.TemporaryDirectory() as folder:
        what = judge(
            TARGETS[target], write_file(TARGETS[target], Path(folder), name, path.read_bytes())
        )
    print(what or "nothing is wrong")
    return 1 if what else 0


if __name__ == "__main__":
    sys.exit(main())
