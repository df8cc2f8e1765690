"""GPU check: cuda tests, training steps, warped batches and a prediction, in eight minutes at most.

    benchmarks/gpu.sh [--size short] [--out FILE] [--sections tests warp ...]

Each section has a process and a time limit of its own, so that one that hangs costs no other its
turn. The table is written anew after each of them, logs beside it. Without a GPU everything is
done in a short form, which proves that it runs. Exit code 1 if anything failed.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks._gpu_rows import FULL, SECTIONS, SHORT, read_records
from benchmarks._gpu_table import table

__all__ = ["run_apart"]

# Less than eight minutes: wheels have been installed before.
LIMIT_S = 450
MACHINE_S = 60


def main() -> int:
    """Run the sections, print the table."""
    options = _options()
    # Whoever stops the check stops its sections, as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start = time.monotonic()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    log, records = options.out.with_suffix(".log"), options.out.with_suffix(".jsonl")
    for left in (log, records):
        left.write_text("", encoding="utf-8")
    machine = _machine(log)
    size = options.size or ("full" if machine["device"] == "cuda" else "short")
    sizes = FULL if size == "full" else SHORT
    ends = {s.name: "left out" for s in SECTIONS if s.name not in options.sections}
    for section in SECTIONS:
        if section.name in options.sections:
            words = [section.name, "--records", str(records), "--size", size]
            left_s = options.limit_s - (time.monotonic() - start)
            ends[section.name] = run_apart(_command(words), log, min(section.seconds, left_s))
        with records.open(encoding="utf-8") as lines:
            found = read_records(lines)
        text = table(machine, sizes, found, ends)
        options.out.write_text(text, encoding="utf-8")
    print(text)
    print(f"{options.out}, {log}, {records}; {time.monotonic() - start:.0f} s")
    failed = any(record.note.startswith("failed") for record in found.values())
    return int(failed or not set(ends.values()) <= {"ended", "left out"})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=["full", "short"], help="by default what the GPU allows")
    out = Path(os.environ.get("OUT", "runs/gpu")) / "gpu.md"
    parser.add_argument("--out", type=Path, default=out, help="default: %(default)s")
    parser.add_argument("--limit-s", type=float, default=LIMIT_S)
    names = [section.name for section in SECTIONS]
    parser.add_argument("--sections", nargs="+", choices=names, default=names)
    return parser.parse_args()


def _machine(log: Path) -> dict[str, str]:
    """Asked in another process: a driver may hang."""
    try:
        with log.open("a", encoding="utf-8") as file:
            done = subprocess.run(
                _command(["machine"]), stdout=subprocess.PIPE, stderr=file, timeout=MACHINE_S
            )
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, json.JSONDecodeError):
        return {"device": "cpu", "GPU": f"UNKNOWN: torch does not tell; see {log.name}"}


def run_apart(command: list[str], log: Path, seconds: float) -> str:
    """Run a command, with all that it starts, for a limited time; how it ended, in words."""
    if seconds < 1:
        return "not begun: no time was left"
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n== {' '.join(command)}\n")
        file.flush()
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"stopped after {seconds:.0f} s"
        finally:
            _end(process)
    if code == 0:
        return "ended"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return f"ended with {code}: {lines[-1].replace('|', '/')[:200]}"


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # What hangs in a driver may outlast even that.
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)


def _command(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "benchmarks._gpu_section", *words]


if __name__ == "__main__":
    raise SystemExit(main())
