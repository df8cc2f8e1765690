"""Sharing of bundles: processor time to pack, sign, verify and inspect, and to judge a zoo.

    python -m benchmarks.sharing [--zoo DIR] [--rounds 3]

Of the repository's bundles, beyond imports: a round before the first is not counted. A golden case
is labelled once and its label kept, so packing is measured with nothing kept and once more.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benchmarks._timing import cpu_model, on_one_thread
from medseg.bundles.judgement.judge import judge_folder
from medseg.sharing.describing.inspection import inspect_bundle
from medseg.sharing.packing.pack import PackChoices, pack_bundle
from medseg.sharing.packing.plain_zip import zip_bytes
from medseg.sharing.signing.keys import new_key_pair
from medseg.sharing.signing.sign import SigningKey, sign_bundle
from medseg.sharing.signing.verify import verify

STEPS = ("pack, nothing kept", "pack again", "sign", "verify", "inspect")


def main() -> None:
    """Measure all and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--zoo", type=Path, help="a folder of bundles, to be judged")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    on_one_thread()
    bundles = sorted(path.parent for path in Path("bundles").glob("*/configs"))
    rounds = [_round(bundles) for _ in range(1 + options.rounds)][1:]
    print(f"{cpu_model()}, one thread; seconds of processor time, medians of {options.rounds}\n")
    print(f"| bundle | {' | '.join(STEPS)} |\n|{'---|' * (1 + len(STEPS))}")
    for bundle in bundles:
        print(_row(bundle.name, [[one[bundle][step] for one in rounds] for step in STEPS]))
    totals = [[sum(one[bundle][step] for bundle in bundles) for one in rounds] for step in STEPS]
    print(_row("together", totals))
    once, more = _process("--help"), _process(str(bundles[0]))
    print(f"\n`medseg bundle inspect`, the whole process: {more:.2f} s, its `--help` {once:.2f} s")
    if options.zoo is not None:
        print(_zoo(sorted(path.parent for path in options.zoo.glob("*/configs"))))


def _round(bundles: Iterable[Path]) -> dict[Path, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("MEDSEG_CACHE", "MEDSEG_HOME"):
            os.environ[name] = str(Path(folder) / name)
        keys = new_key_pair(folder, "bench")
        return {bundle: dict(_times(bundle, Path(folder), keys.private)) for bundle in bundles}


def _times(bundle: Path, folder: Path, secret: Path) -> Iterator[tuple[str, float]]:
    path = folder / f"{bundle.name}.zip"

    def pack() -> None:
        path.write_bytes(zip_bytes(pack_bundle(bundle, PackChoices()).in_one_folder))

    steps: tuple[Callable[[], object], ...] = (
        pack,
        pack,
        lambda: sign_bundle(path, SigningKey(key=secret)),
        lambda: verify(path),
        lambda: inspect_bundle(path),
    )
    for name, step in zip(STEPS, steps, strict=True):
        yield name, _seconds(step)


def _seconds(step: Callable[[], object]) -> float:
    begun = time.process_time()
    step()
    return time.process_time() - begun


def _row(name: str, columns: Iterable[list[float]]) -> str:
    return f"| {name} | {' | '.join(f'{statistics.median(taken):.2f}' for taken in columns)} |"


def _process(argument: str) -> float:
    line = "from medseg.cli.main import main; main()"
    taken: list[float] = []
    for _ in range(3):
        begun = os.times()
        subprocess.run(
            [sys.executable, "-c", line, "bundle", "inspect", argument],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        ended = os.times()
        taken.append(
            ended.children_user + ended.children_system
            - begun.children_user - begun.children_system
        )  # fmt: skip
    return statistics.median(taken)


def _zoo(bundles: list[Path]) -> str:
    taken = _seconds(lambda: [judge_folder(bundle) for bundle in bundles])
    return f"{len(bundles)} bundles of the zoo judged: {taken:.2f} s"


if __name__ == "__main__":
    main()
